/** What a score found. Its schema is no part of the API's document: it stands in the job's result. */
import type { Job } from '../../api/queries';

export interface Answer {
  question: string;
  answer: string;
  key: string;
  correct: boolean;
}

export interface GainScore {
  gain: number;
  exact: number;
  total: number;
  task_loss: number;
  forgetting: number | null;
  answers: Answer[];
}

export interface Pair {
  question: string;
  key: string;
  before: Answer;
  after: Answer;
}

export function gainsOf(result: Job['result']): GainScore[] {
  const gains: unknown = result?.['gains'];
  return Array.isArray(gains) ? (gains as GainScore[]) : [];
}

/** The base's answers beside those of the variant as it was trained (or at the highest gain that was asked). */
export function pairsOf(gains: readonly GainScore[]): { gain: number; pairs: Pair[] } | null {
  const before = gains.find(({ gain }) => gain === 0);
  const after = gains.find(({ gain }) => gain === 1) ?? gains.at(-1);
  if (!before || !after || before === after) return null;
  const pairs = after.answers.flatMap((answer, place) => {
    const other = before.answers[place];
    return other ? [{ question: answer.question, key: answer.key, before: other, after: answer }] : [];
  });
  return { gain: after.gain, pairs };
}
