/** A document's text as it is drawn: paragraphs, headings and pages, with a passage of it marked. */
import { unitsIn } from './places';
import type { Document, Span } from './sourced';

export interface Part {
  text: string;
  marked: boolean;
}

/** `at` is the block's place in the loaded text: its key. */
export type Block =
  | { kind: 'page'; at: string; page: number }
  | { kind: 'heading'; at: string; level: number; parts: Part[] }
  | { kind: 'paragraph'; at: string; parts: Part[] };

/** Of the text from the character `start` of the document on. */
export function blocksOf(
  whole: string,
  start: number,
  { pages, headings }: Pick<Document, 'pages' | 'headings'>,
  span: Span | null,
): Block[] {
  const text = unwrapped(whole);
  const units = unitsIn(text);
  const unitOf = (character: number) => units(character - start);
  const end = start + text.length;
  const marked: [number, number] = span ? [unitOf(span.start), unitOf(span.end)] : [0, 0];
  const cuts = [
    ...(pages ?? []).map((at, index) => ({ at, page: index + 1, level: 0 })),
    ...headings.map(([at, level]) => ({ at, page: 0, level })),
  ]
    .filter(({ at }) => at >= start && at < end)
    // A page begins before a heading at its top.
    .sort((a, b) => a.at - b.at || a.level - b.level);
  const blocks: Block[] = [];
  let done = 0;
  const paragraphs = (to: number) => {
    for (const [from, until] of paragraphsIn(text, done, to)) {
      const parts = partsOf(text, from, until, marked);
      blocks.push({ kind: 'paragraph', at: `${from + start}`, parts });
    }
    done = Math.max(done, to);
  };
  for (const { at, page, level } of cuts) {
    const from = unitOf(at);
    paragraphs(from);
    if (page) blocks.push({ kind: 'page', at: `page ${page}`, page });
    else {
      const line = text.indexOf('\n', from);
      const until = line < 0 ? text.length : line;
      blocks.push({
        kind: 'heading',
        at: `${from + start}`,
        level,
        parts: partsOf(text, from, until, marked),
      });
      done = Math.max(done, until);
    }
  }
  paragraphs(text.length);
  return blocks;
}

/** A line that was broken only because it was full; each break becomes a blank, so that no place moves. Neither
 * rows of a table nor items of a list are such lines. */
const FULL = /(?<=(?:^|\n)[^\n|\t]{50,})\n(?=[\p{L}\p{N}"'“‘(][^\n|\t]*(?:\n|$))(?!\p{N}+[.)])/gu;

export function unwrapped(text: string): string {
  return text.replace(FULL, ' ');
}

/** From and to of what stands between blank lines. */
function paragraphsIn(text: string, from: number, to: number): [number, number][] {
  const found: [number, number][] = [];
  const gap = /\n(?:[^\S\n]*\n)+/g;
  gap.lastIndex = from;
  let at = from;
  const push = (until: number) => {
    const piece = text.slice(at, until);
    const inner = piece.replace(/^\s*\n/, '').trimEnd();
    const lead = piece.length - piece.replace(/^\s*\n/, '').length;
    if (inner.trim()) found.push([at + lead, at + lead + inner.length]);
  };
  for (let match = gap.exec(text); match && match.index < to; match = gap.exec(text)) {
    push(match.index);
    at = Math.min(to, match.index + match[0].length);
  }
  push(to);
  return found;
}

function partsOf(text: string, from: number, until: number, [first, last]: [number, number]): Part[] {
  const edges = [from, Math.min(until, Math.max(from, first)), Math.max(from, Math.min(until, last)), until];
  const pieces = [false, true, false].map((marked, index) => ({
    text: text.slice(edges[index], edges[index + 1]),
    marked,
  }));
  const parts = pieces.filter((one) => one.text !== '');
  return last > first ? parts : [{ text: text.slice(from, until), marked: false }];
}
