/** A recipe as the file that `twotrack train` reads: YAML, with strings as JSON writes them, which is YAML too. */
import type { Cell, Rows } from '../board/training';
import { recipeOf, type Draft } from './recipe';
import { seedsOf, type Sweep } from './sweep';

export function recipeText(named: { base: string; name: string }, draft: Draft): string {
  const { goal, ...fields } = recipeOf(draft);
  const lines = Object.entries<unknown>({ ...named, ...fields }).map(
    ([key, value]) => `${key}: ${text(value)}`,
  );
  if (goal) {
    lines.push('goal:');
    if (goal.prompts?.length) lines.push('  prompts:', ...goal.prompts.map((one) => `    - ${text(one)}`));
    if (goal.criteria) lines.push(`  criteria: ${text(goal.criteria)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What is swept over, as `twotrack train --sweep` reads it. */
export function sweepText({ seeds, boards }: Sweep): string {
  const numbers = seedsOf(seeds) ?? [];
  const lines = numbers.length ? [`seeds: [${numbers.join(', ')}]`] : [];
  if (boards.length) {
    lines.push('boards:', ...boards.map(({ name, rows }) => `  ${text(name)}: ${boardText(rows)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** Rows from the input up; one word stands for a row whose cells are alike. */
function boardText(rows: Rows): string {
  const cell = (one: Cell) => {
    if (one.train === false) return 'freeze';
    return Object.values(one).every((value) => value == null) ? 'train' : JSON.stringify(one);
  };
  const row = (cells: readonly Cell[]) => {
    const [first = '', ...others] = cells.map(cell);
    return others.every((other) => other === first) ? first : `[${[first, ...others].join(', ')}]`;
  };
  return `[${rows.map(row).join(', ')}]`;
}

// Words of letters alone that YAML takes for something else.
const NO_STRINGS = /^(?:y|n|yes|no|true|false|on|off|null)$/i;

function text(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z][\w.-]*$/.test(value) && !NO_STRINGS.test(value)) return value;
  return JSON.stringify(value);
}
