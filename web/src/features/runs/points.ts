/** The loss curve's points: the kept history, and the steps that the job has told of meanwhile. */
import type { components } from '../../client/schema';
import type { Job } from '../../api/queries';
import { readProgress } from '../../ui/JobProgress';

export type Point = components['schemas']['LossPoint'];
/** What a curve needs; a point of the held-out loss has no more. */
export type ChartPoint = Pick<Point, 'step' | 'loss'> & Partial<Point> & { speed?: number };

/** The step that a job tells of at this moment. */
export function pointOf(job: Job): Point | undefined {
  const { step, loss, epoch = 0, learning_rate = 0, tokens = 0, at, memory } = readProgress(job);
  if (step === undefined || loss === undefined) return undefined;
  return { step, loss, epoch, learning_rate, tokens, at: at ?? null, memory: memory ?? null };
}

/** The kept history, and what has been heard since. */
export function merge(history: readonly Point[], heard: readonly Point[]): readonly Point[] {
  const last = history.at(-1)?.step ?? 0;
  const later = heard.filter(({ step }) => step > last);
  return later.length ? [...history, ...later] : history;
}

/** At most `limit` of them, evenly taken, the first and the last among them. */
export function thin<T>(points: readonly T[], limit: number): readonly T[] {
  if (points.length <= limit) return points;
  const stride = (points.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, place) => points[Math.round(place * stride)]).filter(
    (point) => point !== undefined,
  );
}

/** The curve without its shaking: an exponential moving average, corrected for its start (Kingma and Ba 2015, section 3). */
export function smooth<T extends { loss: number }>(points: readonly T[], keep = 0.9): readonly T[] {
  let sum = 0;
  let weight = 0;
  return points.map((point) => {
    if (!Number.isFinite(point.loss)) return point;
    sum = keep * sum + (1 - keep) * point.loss;
    weight = keep * weight + (1 - keep);
    return { ...point, loss: sum / weight };
  });
}

/** The point whose step lies nearest; `points` are in order of their steps. */
export function nearest<T extends { step: number }>(points: readonly T[], step: number): T | undefined {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.step ?? 0) < step) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [points[low - 1], points[low]];
  return before && after && step - before.step < after.step - step ? before : after;
}

/** Round numbers that span the values: 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, about: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / about));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= about) ?? power * 10;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) =>
    Number(((first + place) * step).toPrecision(12)),
  );
}

/** Each with its tokens a second, where the moments of its step and of the one before it are known. */
export function withSpeed(points: readonly Point[]): readonly (Point & { speed?: number })[] {
  return points.map((point, place) => {
    const before = points[place - 1];
    if (!before || point.at == null || before.at == null || point.at <= before.at) return point;
    return { ...point, speed: (point.tokens - before.tokens) / (point.at - before.at) };
  });
}

/** The course of one figure, as a curve is drawn. */
export function courseOf(
  points: readonly ChartPoint[],
  figure: 'learning_rate' | 'speed' | 'memory',
): readonly ChartPoint[] {
  return points.flatMap(({ step, [figure]: value }) => (value == null ? [] : [{ step, loss: value }]));
}
