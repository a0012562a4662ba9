/** A recipe while it is written: what has been entered, what may be, and what a run was asked for with. */
import type { Run } from '../../api/queries';
import type { Rule } from '../../api/rules';
import type { components } from '../../client/schema';
import type { Rows } from '../board/training';

export type Sensed = components['schemas']['SensitivityReport'];

export const NUMBERS_FIRST = ['epochs', 'learning_rate', 'rank', 'batch_size'] as const;
export const NUMBERS_MORE = [
  'alpha',
  'dropout',
  'warmup',
  'seed',
  'max_length',
  'checkpoints',
  'sample_every',
] as const;
/** The first of each is the studio's default. */
export const CHOICES = {
  method: ['lora', 'rslora', 'qlora'],
  schedule: ['linear', 'cosine', 'constant'],
  too_long: ['refuse', 'truncate'],
  precision: ['auto', 'fp32', 'bf16'],
} as const;
export const CHOICES_MORE = ['schedule', 'too_long', 'precision'] as const;
export const FIELDS = [
  'method',
  ...NUMBERS_FIRST,
  ...NUMBERS_MORE,
  ...CHOICES_MORE,
  ...(['gradient_checkpointing', 'modules', 'board'] as const),
] as const;

export type NumberField = (typeof NUMBERS_FIRST)[number] | (typeof NUMBERS_MORE)[number];
export type ChoiceField = keyof typeof CHOICES;
/** An absent field keeps the studio's default. */
export type Draft = Partial<
  Pick<
    Run['recipe'],
    NumberField | ChoiceField | 'gradient_checkpointing' | 'modules' | 'goal' | 'data_id' | 'held_out_id'
  >
> & { board?: Rows | null };

/** What the studio is asked for: no field that was emptied, no question that is blank. */
export function recipeOf(draft: Draft): Draft {
  const { goal, ...fields } = draft;
  const asked = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  );
  const prompts = (goal?.prompts ?? []).map((prompt) => prompt.trim()).filter(Boolean);
  const criteria = goal?.criteria.trim() ?? '';
  return prompts.length > 0 || criteria ? { ...asked, goal: { prompts, criteria } } : asked;
}

/** A board says for every column what it does: beside it a recipe takes no columns. */
export function withBoard(draft: Draft, board: Rows | null): Draft {
  const { modules: _, ...others } = draft;
  return board ? { ...others, board } : { ...draft, board };
}

/** Without what it says of where it learns: each run of a sweep over boards has one of those. */
export function placeless({ modules: _, board: __, ...others }: Draft): Draft {
  return others;
}

/** What another run was asked for with, to start from. Its data is not part of it: it may be gone. */
export function draftOf(recipe: Run['recipe']): Draft {
  const known = [...FIELDS, 'goal' as const].map((field) => [field, recipe[field]] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined && value !== null));
}

/** A run on the board that a measurement suggests, on the data set that was measured, if it was one. */
export function draftOn({ suggested, data_set: set }: Sensed): Draft {
  const { rank, alpha, board } = suggested;
  return { rank, alpha, board: board as unknown as Rows, data_id: set?.id ?? null };
}

/** Whether a number is outside of what its rule allows. */
export function breaks(rule: Rule | undefined, value: number | undefined): boolean {
  if (rule === undefined || value === undefined) return false;
  const { minimum = -Infinity, maximum = Infinity } = rule;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = rule;
  return value < minimum || value > maximum || value <= exclusiveMinimum || value >= exclusiveMaximum;
}

/** The name, or the first of name-2, name-3, … that nobody has. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const stem = name.replace(/-\d+$/, '').slice(0, 95);
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
  }
}

/** Fields in which two recipes differ, in the order of the form. */
export function differences(one: Run, other: Run): (typeof FIELDS)[number][] {
  return FIELDS.filter((field) => JSON.stringify(one.recipe[field]) !== JSON.stringify(other.recipe[field]));
}
