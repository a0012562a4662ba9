import type { NewMix } from './queries';

export interface MixDraft {
  name: string;
  /** By the set's id. Without a weight it is 1, or 0 where something is guaranteed. */
  chosen: Record<string, { weight?: number | undefined; atLeast?: number | undefined }>;
  window?: number | undefined;
  length?: number | undefined;
  seed?: number | undefined;
}

/** What the studio is asked, or null as long as there is nothing to mix. */
export function mixOf({ name, chosen, window, length, seed }: MixDraft): NewMix | null {
  const sets = Object.entries(chosen).map(([id, { weight, atLeast }]) => ({
    data_id: id,
    at_least: atLeast ?? 0,
    ...(weight === undefined ? {} : { weight }),
  }));
  if (name.trim() === '' || sets.length < 2) return null;
  return {
    name: name.trim(),
    sets,
    seed: seed ?? 0,
    window: window ?? 1000,
    ...(length === undefined ? {} : { length }),
  };
}
