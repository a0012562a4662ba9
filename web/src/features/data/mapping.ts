/** What columns mean, said by hand: meaning → column. */
export const KINDS = ['alpaca', 'messages', 'preference', 'text'] as const;
export type Kind = (typeof KINDS)[number];
export type Meaning =
  | 'messages'
  | 'prompt'
  | 'input'
  | 'answer'
  | 'system'
  | 'history'
  | 'chosen'
  | 'rejected'
  | 'text'
  | 'key'
  | 'group'
  | 'source';
export type Draft = Partial<Record<Meaning, string>>;

export const REQUIRED: Record<Kind, readonly Meaning[]> = {
  alpaca: ['prompt', 'answer'],
  messages: ['messages'],
  preference: ['prompt', 'chosen', 'rejected'],
  text: ['text'],
};

/** Whoever has a question in a pair of conversations needs no column for it. */
const DISPENSABLE: readonly Meaning[] = ['prompt'];

export const FURTHER: Record<Kind, readonly Meaning[]> = {
  alpaca: ['input', 'system', 'history', 'key', 'group', 'source'],
  messages: ['system', 'key', 'group', 'source'],
  preference: ['input', 'system', 'key', 'group', 'source'],
  text: ['key', 'group', 'source'],
};

/** The kind that a recognized format is; that of an unrecognized one, by how many columns there are. */
export function kindOf(format: string | null | undefined, columns: number): Kind {
  if (format === 'sharegpt') return 'messages';
  return KINDS.find((kind) => kind === format) ?? (columns === 1 ? 'text' : 'alpaca');
}

/** Only what belongs to the kind, and only what was chosen. */
export function columnsOf(kind: Kind, draft: Draft): Record<string, string> {
  const chosen = [...REQUIRED[kind], ...FURTHER[kind]].map((meaning) => [meaning, draft[meaning] ?? '']);
  return Object.fromEntries(chosen.filter(([, column]) => column !== ''));
}

export function faultOf(kind: Kind, draft: Draft): 'missing' | 'twice' | null {
  const columns = columnsOf(kind, draft);
  const names = Object.values(columns);
  if (new Set(names).size < names.length) return 'twice';
  const optional = kind === 'preference' ? DISPENSABLE : [];
  const missing = REQUIRED[kind].some((meaning) => !columns[meaning] && !optional.includes(meaning));
  return missing ? 'missing' : null;
}
