/** As the studio holds it, in characters; a code unit is at least that many. */
export const LONGEST_TEXT = 2_000_000;
/** A field that grows with its text measures all of it at each keystroke; a longer one keeps its height. */
export const LONGEST_GROWING = 20_000;
/** What is searched for is a question, no text. */
export const LONGEST_FOR_DOCUMENTS = 20_000;
