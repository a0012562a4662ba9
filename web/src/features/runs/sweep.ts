/** Several runs that differ in their seed, their board, or both: how they are asked for, and what came of them. */
import type { Run } from '../../api/queries';
import type { Rule } from '../../api/rules';
import { nameFault } from '../../ui/names';
import type { Layout } from '../board/board';
import { isFrozen, switched, type Rows } from '../board/training';
import { breaks } from './recipe';

export interface NamedBoard {
  /** Tells it from the others of the form, whatever they are called. */
  key: string;
  name: string;
  rows: Rows;
}

export const named = (name: string, rows: Rows): NamedBoard => ({ key: newId(), name, rows });

export interface Sweep {
  /** As they are typed. */
  seeds: string;
  boards: readonly NamedBoard[];
}

/** The studio takes no more (learning/train/sweep.py). */
export const MOST_RUNS = 32;

/** Whole numbers with commas or spaces between; null for anything else, and for one that comes twice. */
export function seedsOf(text: string): number[] | null {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const seeds = parts.map((part) => (/^\d{1,10}$/.test(part) ? Number(part) : NaN));
  const isFine = seeds.every((seed) => Number.isSafeInteger(seed)) && new Set(seeds).size === seeds.length;
  return isFine ? seeds : null;
}

/** The names of the runs, boards first, as the studio gives them. */
export function namesOf(name: string, { seeds, boards }: Sweep): string[] {
  const numbers = seedsOf(seeds) ?? [];
  const endings = boards.length ? boards.map((board) => `-${board.name.trim()}`) : [''];
  return endings.flatMap((ending) =>
    numbers.length ? numbers.map((seed) => `${name}${ending}-${seed}`) : [`${name}${ending}`],
  );
}

export type SweepFault = 'seeds' | 'nothing' | 'boards' | 'twice' | 'frozen' | 'many' | 'names';

/** What keeps a sweep from being started; null where nothing does. `rule` is that of the recipe's seed. */
export function sweepFault(
  sweep: Sweep,
  name: string,
  taken: ReadonlySet<string>,
  rule: Rule | undefined,
): SweepFault | null {
  const seeds = seedsOf(sweep.seeds);
  if (seeds === null || seeds.some((seed) => breaks(rule, seed))) return 'seeds';
  if (seeds.length === 0 && sweep.boards.length === 0) return 'nothing';
  const boards = sweep.boards.map((board) => board.name.trim());
  if (boards.some((one) => nameFault(one) !== null || one === '')) return 'boards';
  if (new Set(boards).size < boards.length) return 'twice';
  if (sweep.boards.some(({ rows }) => isFrozen(rows))) return 'frozen';
  const names = namesOf(name, sweep);
  if (names.length > MOST_RUNS) return 'many';
  return name !== '' && names.some((one) => nameFault(one, taken) !== null) ? 'names' : null;
}

export const STARTS = ['all', 'upper', 'lower', 'attention', 'mlp'] as const;
export type Start = (typeof STARTS)[number];

const learns: Record<Start, (band: number, bands: number, column: string) => boolean> = {
  all: () => true,
  upper: (band, bands) => band >= bands / 2,
  lower: (band, bands) => band < bands / 2,
  attention: (_, __, column) => column.startsWith('attn.'),
  mlp: (_, __, column) => column.startsWith('mlp.'),
};

export const startOf = (start: Start, layout: Layout): Rows =>
  switched(layout).map((row, band, { length }) =>
    row.map((_, column) =>
      learns[start](band, length, layout.columns[column] ?? '') ? {} : { train: false },
    ),
  );

/** Those that this grid can tell apart. */
export function startsFor(layout: Layout): Start[] {
  const isWhole = (rows: Rows) => rows.flat().every(({ train }) => train !== false);
  return STARTS.filter((start) => {
    const rows = startOf(start, layout);
    return start === 'all' || !(isFrozen(rows) || isWhole(rows));
  });
}

/** The one that learns in the most cells takes the most memory. */
export const heaviest = (boards: readonly NamedBoard[]): NamedBoard | undefined =>
  [...boards].sort((a, b) => learning(b.rows) - learning(a.rows))[0];

export const learning = (rows: readonly (readonly { train?: boolean }[])[]): number =>
  rows.flat().filter(({ train }) => train !== false).length;

/** What runs are held against each other by: the loss on what none has learned, where all were given such a set. */
export type Measure = 'heldOut' | 'loss';

export const measureOf = (runs: readonly Run[]): Measure =>
  runs.every((run) => run.held_out) ? 'heldOut' : 'loss';

/** Of a run that is done; null before. */
export function resultOf({ job, held_out_history: course }: Run, measure: Measure): number | null {
  if (job.state !== 'succeeded') return null;
  const told = job.result?.[measure === 'heldOut' ? 'held_out_loss' : 'loss'];
  const value = told ?? (measure === 'heldOut' ? course?.at(-1)?.loss : undefined);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export interface Setting {
  /** The board's; null where seeds alone differ. */
  name: string | null;
  /** Among the settings in the order in which they were asked for: it keeps its colour. */
  place: number;
  runs: Run[];
  results: { seed: number; value: number }[];
  mean: number | null;
  low: number;
  high: number;
}

/** The lowest mean first; what has no result yet comes last, in the order in which it was asked for. */
export function settingsOf(runs: readonly Run[], measure: Measure): Setting[] {
  const names = [...new Set(runs.map(({ setting }) => setting ?? null))];
  const settings = names.map((name, place) => {
    const members = runs.filter((run) => (run.setting ?? null) === name);
    const results = members.flatMap((run) => {
      const value = resultOf(run, measure);
      return value === null ? [] : [{ seed: Number(run.recipe.seed), value }];
    });
    const values = results.map(({ value }) => value);
    const mean = values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
    return { name, place, runs: members, results, mean, low: Math.min(...values), high: Math.max(...values) };
  });
  return settings.sort((a, b) => (a.mean ?? Infinity) - (b.mean ?? Infinity) || 0);
}

export type Verdict =
  | { kind: 'nothing' }
  /** One setting alone: what the seed makes of it. */
  | { kind: 'seeds'; only: Setting }
  /** `won` of `pairs` seeds that both have are lower with the best. */
  | { kind: 'apart' | 'overlap' | 'single'; best: Setting; next: Setting; won: number; pairs: number };

/** Which of the settings did better; they come sorted. `single`: with one run each, nothing tells it from chance. */
export function verdictOf(settings: readonly Setting[]): Verdict {
  const [best, next] = settings.filter(({ mean }) => mean !== null);
  if (!best) return { kind: 'nothing' };
  if (!next) return settings.length > 1 ? { kind: 'nothing' } : { kind: 'seeds', only: best };
  const pairs = best.results.flatMap(({ seed, value }) => {
    const other = next.results.find((one) => one.seed === seed);
    return other ? [value < other.value] : [];
  });
  const counted = { best, next, won: pairs.filter(Boolean).length, pairs: pairs.length };
  if (best.results.length < 2 || next.results.length < 2) return { kind: 'single', ...counted };
  return { kind: best.high < next.low ? 'apart' : 'overlap', ...counted };
}

/** What the runs of a sweep are called before their endings. */
export function titleOf({ recipe, setting }: Run): string {
  const { name, seed } = recipe;
  const endings = setting == null ? [`-${seed}`] : [`-${setting}`, `-${setting}-${seed}`];
  const ending = endings.find((one) => name.endsWith(one));
  return ending ? name.slice(0, -ending.length) : name;
}

/** A random id (RFC 9562, version 4), also where a page that came without TLS has no `crypto.randomUUID`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
