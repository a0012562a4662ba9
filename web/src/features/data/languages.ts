/** What a language's code is called in the reader's own; a code that is none stays as it is. */
export function languageNames(reader: string): (code: string) => string {
  const names = new Intl.DisplayNames(reader, { type: 'language' });
  return (code) => {
    try {
      return names.of(code) ?? code;
    } catch {
      // A RangeError: no code of a language.
      return code;
    }
  };
}
