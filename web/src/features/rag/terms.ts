/** Where the terms that were looked for stand in a passage. */
import type { Part } from '../../sources/blocks';

const CJK = '\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff';
const IN_CJK = new RegExp(`[${CJK}]`);
/** A term that tells so much less than the one that tells most is not marked: it stands everywhere. */
const TELLING = 0.4;

/** The terms that are worth marking: those that tell one passage from another. */
export function tellingTerms(terms: readonly string[], rarities: Readonly<Record<string, number>>): string[] {
  const all = [...new Set(terms)];
  const most = Math.max(0, ...all.map((term) => rarities[term] ?? 0));
  return all.filter((term) => (rarities[term] ?? 0) > most * TELLING);
}

/** The words to mark for terms: a stem stands for words of its own. */
export function wordsOf(
  terms: readonly string[],
  forms: Readonly<Record<string, readonly string[]>>,
): string[] {
  return terms.flatMap((term) => forms[term] ?? [term]);
}

/** The passage in parts, those marked that are such a term: Korean anywhere within a word, all else as whole
 * words, numbers with or without their thousands' commas. */
export function markTerms(text: string, terms: readonly string[]): Part[] {
  if (terms.length === 0) return [{ text, marked: false }];
  const marks = new Uint8Array(text.length);
  for (const term of terms) {
    // Pairs of characters overlap: a word is marked as far as they cover it.
    const pattern = new RegExp(patternOf(term), 'giu');
    for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
      marks.fill(1, found.index, found.index + found[0].length);
      pattern.lastIndex = found.index + (IN_CJK.test(term) ? 1 : Math.max(1, found[0].length));
    }
  }
  const parts: Part[] = [];
  let start = 0;
  for (let at = 1; at <= text.length; at += 1) {
    if (at < text.length && marks[at] === marks[start]) continue;
    parts.push({ text: text.slice(start, at), marked: marks[start] === 1 });
    start = at;
  }
  return parts;
}

function patternOf(term: string): string {
  const literal = term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (IN_CJK.test(term)) return literal;
  const loose = /^\d+$/.test(term) ? term.split('').join("[,']?") : literal;
  return `(?<![^\\P{L}${CJK}]|\\p{N})${loose}(?![^\\P{L}${CJK}]|\\p{N})`;
}
