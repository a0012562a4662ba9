/** Where one answer differs from another, word by word. */
import { diffWordsWithSpace } from 'diff';

export interface Piece {
  text: string;
  isNew: boolean;
}

/** The pieces of `text`, and which of them `reference` does not have. */
export function differences(reference: string, text: string): Piece[] {
  return diffWordsWithSpace(reference, text)
    .filter(({ removed }) => !removed)
    .map(({ value, added }) => ({ text: value, isNew: added }));
}
