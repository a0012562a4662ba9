/** What a model may be called, as the studio has it (registry/names.py): told while typing, decided there. */
const LETTER = 'A-Za-z0-9가-힣ㄱ-ㅎㅏ-ㅣ';
const NAME = new RegExp(`^[${LETTER}][${LETTER}._:-]*$`);
const ID = /^([0-9a-f]{64}|[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12})$/i;
export const LONGEST_NAME = 100;

export type NameFault = 'letters' | 'long' | 'id' | 'taken';

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
