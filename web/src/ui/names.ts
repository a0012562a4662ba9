/** What a model may be called, as the studio has it (registry/names.py): told while typing, decided there. */
const LETTER = 'A-Za-z0-9가-힣ㄱ-ㅎㅏ-ㅣ';
const NAME = new RegExp(`^[${LETTER}][${LETTER}._:-]*$`);
const ID = /^([0-9a-f]{64}|[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12})$/i;
export const LONGEST_NAME = 100;

export type NameFault = 'letters' | 'long' | 'id' | 'taken';

const MOST_LISTED = 8;

/** Names beside one another; of many the first, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).join(', ');
  return names.length > MOST_LISTED ? `${shown} … (+${names.length - MOST_LISTED})` : shown;
}

/** What is wrong with a name, or null; an empty one is only missing. */
export function nameFault(given: string, taken: ReadonlySet<string> = new Set()): NameFault | null {
  // A keyboard may compose Hangul from parts.
  const name = given.trim().normalize('NFC');
  if (name === '') return null;
  if (!NAME.test(name)) return 'letters';
  if (name.length > LONGEST_NAME) return 'long';
  if (ID.test(name)) return 'id';
  return taken.has(name) ? 'taken' : null;
}
