/** A recipe as the file that `twotrack train` reads: YAML, with strings as JSON writes them, which is YAML too. */
import { recipeOf, type Draft } from './recipe';

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

// Words of letters alone that YAML takes for something else.
const NO_STRINGS = /^(?:y|n|yes|no|true|false|on|off|null)$/i;

function text(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z][\w.-]*$/.test(value) && !NO_STRINGS.test(value)) return value;
  return JSON.stringify(value);
}
