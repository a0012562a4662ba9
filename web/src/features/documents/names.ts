/** What a collection may be called, as the studio has it: told while typing, decided there. */
export type NameFault = 'slash' | 'long' | 'taken' | 'dots';

export const LONGEST_NAME = 100;

/** What is wrong with a name, or null; an empty one is only missing. */
export function nameFault(given: string, taken: ReadonlySet<string>): NameFault | null {
  const name = given.trim();
  if (/[/\\]/.test(name)) return 'slash';
  if (name.length > LONGEST_NAME) return 'long';
  // An address that ends in dots means another place.
  if (/^\.+$/.test(name)) return 'dots';
  return taken.has(name) ? 'taken' : null;
}
