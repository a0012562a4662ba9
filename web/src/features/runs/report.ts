/** What a score found. Its schema is no part of the API's document: it stands in the job's result. */
import type { Job } from '../../api/queries';

export interface Answer {
  question: string;
  answer: string;
  /** Null of a question without a key, which is neither right nor wrong. */
  key: string | null;
  correct: boolean | null;
}

/** Of 95 %; null where there was too little, undefined in what was scored before there were any. */
export type Interval = [number, number] | null;

/** One setting: a gain, a board, or neither: the variant as it is. */
export interface GainScore {
  gain: number | null;
  board?: { cells: number[][] } | null;
  exact: number;
  total: number;
  exact_interval?: Interval;
  task_loss: number;
  learned?: number | null;
  learned_interval?: Interval;
  forgetting: number | null;
  forgetting_interval?: Interval;
  answers: Answer[];
}

export interface Pair {
  question: string;
  key: string | null;
  before: Answer;
  after: Answer;
}

export function gainsOf(result: Job['result']): GainScore[] {
  const gains: unknown = result?.['gains'];
  return Array.isArray(gains) ? (gains as GainScore[]) : [];
}

/** The base's answers beside those on a board, of the variant as it was trained, or at the last that was asked. */
export function pairsOf(gains: readonly GainScore[]): { score: GainScore; pairs: Pair[] } | null {
  const before = gains.find(({ gain }) => gain === 0);
  const after = gains.findLast(({ board }) => board) ?? gains.find(({ gain }) => gain === 1) ?? gains.at(-1);
  if (!before || !after || before === after) return null;
  const pairs = after.answers.flatMap((answer, place) => {
    const other = before.answers[place];
    return other ? [{ question: answer.question, key: answer.key, before: other, after: answer }] : [];
  });
  return { score: after, pairs };
}
