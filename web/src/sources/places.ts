/** Places in a text: the studio counts characters (code points), a browser's strings count UTF-16 units. */

const PAIR = /[\ud800-\udbff][\udc00-\udfff]/;

/** Of a place in the text's characters, the place in its units; what lies outside comes to its ends. */
export function unitsIn(text: string): (character: number) => number {
  const pairs = PAIR.test(text) ? pairsIn(text) : [];
  return (character) => {
    let [before, end] = [0, pairs.length];
    while (before < end) {
      const middle = (before + end) >> 1;
      if ((pairs[middle] ?? 0) < character) before = middle + 1;
      else end = middle;
    }
    return Math.max(0, Math.min(text.length, character + before));
  };
}

/** Which of the text's characters take two units. */
function pairsIn(text: string): number[] {
  const pairs: number[] = [];
  let at = 0;
  for (const character of text) {
    if (character.length === 2) pairs.push(at);
    at += 1;
  }
  return pairs;
}

export function charactersIn(text: string): number {
  return PAIR.test(text) ? text.length - pairsIn(text).length : text.length;
}
