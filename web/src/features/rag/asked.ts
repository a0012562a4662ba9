/** What the search view's address says. */

export const LEGS = ['both', 'dense', 'lexical'] as const;
export type Legs = (typeof LEGS)[number];
export type Value = string | number | boolean;

export interface Asked {
  query?: string;
  /** By what is searched; left out for both. */
  legs?: Exclude<Legs, 'both'>;
  /** Field → the value that documents must have. */
  filters?: Record<string, Value>;
}

export const LONGEST_QUERY = 20_000;

export function readSearch(search: Record<string, unknown>): Asked {
  const { query, legs, filters } = search;
  const kept = Object.entries(typeof filters === 'object' && filters !== null ? filters : {}).filter(
    ([field, value]) => field !== '' && ['string', 'number', 'boolean'].includes(typeof value),
  ) as [string, Value][];
  const words = typeof query === 'number' ? String(query) : query;
  return {
    ...(typeof words === 'string' && words.trim() ? { query: words.slice(0, LONGEST_QUERY) } : {}),
    ...(legs === 'dense' || legs === 'lexical' ? { legs } : {}),
    ...(kept.length ? { filters: Object.fromEntries(kept.slice(0, 20)) } : {}),
  };
}
