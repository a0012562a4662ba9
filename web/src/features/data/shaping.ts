/** What is chosen for a shaped set, and for the parts of a split, as the studio takes it. */
import type { DataSet, Report } from './queries';

/** Findings whose samples can be left out; broken and empty rows always are. */
export const DROPPABLE = [
  'duplicate',
  'near_duplicate',
  'too_long',
  'unlearnable',
  'leak',
  'personal',
  'garbled',
  'repetitive',
  'boilerplate',
] as const;
export type Droppable = (typeof DROPPABLE)[number];

/** What the studio leaves out unless told otherwise (shape.DROPPED). */
export const DROPPED: readonly Droppable[] = ['duplicate', 'leak', 'unlearnable', 'too_long'];

export interface Draft {
  drop: readonly Droppable[];
  mask: boolean;
  mend: boolean;
  tidy: boolean;
  /** None: all. */
  languages: readonly string[];
  shortest?: number | undefined;
  longest?: number | undefined;
  perSource?: number | undefined;
  atMost?: number | undefined;
  rejected: boolean;
}

export const USUAL: Draft = {
  drop: DROPPED,
  mask: false,
  mend: false,
  tidy: true,
  languages: [],
  rejected: false,
};

export function rowsOf(report: Report, kind: string): number {
  return report.findings.find((finding) => finding.kind === kind)?.rows ?? 0;
}

/** What there is to choose: the kinds that the report has found. */
export function choicesOf(report: Report): Droppable[] {
  return DROPPABLE.filter((kind) => rowsOf(report, kind) > 0);
}

export function shapingOf(draft: Draft) {
  return {
    to: draft.rejected ? ('preference' as const) : ('messages' as const),
    // Masked samples are kept: leaving them out as well would leave nothing to mask.
    drop: draft.drop.filter((kind) => kind !== 'personal' || !draft.mask),
    mend_roles: draft.mend,
    mask_personal: draft.mask,
    tidy: draft.tidy,
    languages: [...draft.languages],
    shortest_answer: draft.shortest ?? 1,
    longest_answer: draft.longest ?? null,
    per_source: draft.perSource ?? null,
    at_most: draft.atMost ?? null,
  };
}

/** Whether a run can take the set as it is: its columns are known, and no row was found that is no sample. */
export function isTrainable({
  recognized,
  rows,
  samples,
}: Pick<DataSet, 'recognized' | 'rows' | 'samples'>): boolean {
  return recognized.format != null && rows === samples;
}

export const PARTS = ['train', 'tuning', 'proof'] as const;
export type Part = (typeof PARTS)[number];
/** In percent. */
export type Shares = Record<Part, number | undefined>;

export const USUAL_SHARES: Shares = { train: 80, tuning: 10, proof: 10 };

export function sharesFault(shares: Shares): 'positive' | 'sum' | null {
  const values = PARTS.map((part) => shares[part] ?? 0);
  if (values.some((share) => share < 0) || values.every((share) => share === 0)) return 'positive';
  return Math.abs(sumOf(shares) - 100) < 1e-6 ? null : 'sum';
}

export function sumOf(shares: Shares): number {
  return PARTS.reduce((sum, part) => sum + (shares[part] ?? 0), 0);
}

/** Parts without a share are left away. */
export function partsOf(shares: Shares): { name: string; share: number }[] {
  return PARTS.flatMap((name) => {
    const share = shares[name] ?? 0;
    return share > 0 ? [{ name, share: share / 100 }] : [];
  });
}
