/** How fast bytes arrive, from the last seconds of what a job has told. */
export interface Sample {
  /** Milliseconds. */
  at: number;
  bytes: number;
}

const WINDOW_MILLISECONDS = 10_000;
const SHORTEST_MILLISECONDS = 1_500;

/** Adds a sample and drops the ones that have grown old; a count that falls belongs to another stage. */
export function extend(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && (next.at <= last.at || next.bytes < last.bytes))
    return next.bytes < last.bytes ? [next] : samples;
  return [...samples.filter(({ at }) => at >= next.at - WINDOW_MILLISECONDS), next];
}

/** Bytes a second, or undefined as long as it is too early to tell. */
export function rateOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < SHORTEST_MILLISECONDS) return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}
