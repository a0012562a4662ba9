import { describe, expect, it } from 'vitest';

import { blocksOf, type Block } from './blocks';
import { whereIs } from './sourced';

const TEXT = 'Dues 🐚\n\nShort boats pay 3 tarn.\nLong ones pay 9.\n\nFees\nCards are free.\n';
const at = (words: string) => [...TEXT.slice(0, TEXT.indexOf(words))].length;
const document = {
  pages: [0, at('Fees')],
  headings: [
    [0, 1, 'Dues 🐚'],
    [at('Fees'), 2, 'Fees'],
  ] as [number, number, string][],
};

const shown = (blocks: Block[]) =>
  blocks.map((block) =>
    block.kind === 'page'
      ? `page ${block.page}`
      : `${block.kind}: ${block.parts.map(({ text, marked }) => (marked ? `[${text}]` : text)).join('')}`,
  );

describe('blocksOf', () => {
  it('tells pages, headings and paragraphs apart, and marks the span', () => {
    const span = { start: at('3 tarn'), end: at('3 tarn') + 6 };
    expect(shown(blocksOf(TEXT, 0, document, span))).toEqual([
      'page 1',
      'heading: Dues 🐚',
      'paragraph: Short boats pay [3 tarn].\nLong ones pay 9.',
      'page 2',
      'heading: Fees',
      'paragraph: Cards are free.',
    ]);
  });

  it('marks a span over several blocks in each of them', () => {
    const span = { start: at('Long'), end: at('are free') };
    expect(shown(blocksOf(TEXT, 0, document, span)).filter((one) => one.includes('['))).toEqual([
      'paragraph: Short boats pay 3 tarn.\n[Long ones pay 9.]',
      'heading: [Fees]',
      'paragraph: [Cards ]are free.',
    ]);
  });

  it('draws a piece from the middle by the places of the whole', () => {
    const start = at('Long');
    const piece = [...TEXT].slice(start).join('');
    const span = { start: at('9.'), end: at('9.') + 2 };
    expect(shown(blocksOf(piece, start, document, span))).toEqual([
      'paragraph: Long ones pay [9.]',
      'page 2',
      'heading: Fees',
      'paragraph: Cards are free.',
    ]);
  });

  it('joins lines that were broken because they were full, and no others', () => {
    const full = 'Councillors serve for four years, and no one of them may serve';
    const text = `${full}\nmore than three terms.\n${full}\n- an item\n${full} | a\nb | c\n${full}\n2. two\nshort\nlines`;
    const [block] = blocksOf(text, 0, { pages: null, headings: [] }, null);
    expect(shown(block ? [block] : [])).toEqual([
      `paragraph: ${full} more than three terms.\n${full}\n- an item\n${full} | a\nb | c\n${full}\n2. two\nshort\nlines`,
    ]);
  });

  it('loses no word of a text without anything', () => {
    const text = '\n\n  a\n \nb\t\n\n\n  c d\n';
    const blocks = blocksOf(text, 0, { pages: null, headings: [] }, null);
    expect(shown(blocks)).toEqual(['paragraph:   a', 'paragraph: b', 'paragraph:   c d']);
  });
});

describe('whereIs', () => {
  it('names the page and the headings above', () => {
    const headings: [number, number, string][] = [
      [0, 1, 'A'],
      [10, 2, 'B'],
      [20, 2, 'C'],
      [30, 1, 'D'],
    ];
    expect(whereIs({ pages: [0, 15], headings, title: 'T' }, 25)).toEqual({ page: 2, path: ['A', 'C'] });
    expect(whereIs({ pages: null, headings, title: 'D' }, 30)).toEqual({ page: null, path: [] });
    expect(whereIs({ pages: [3], headings: [], title: '' }, 0)).toEqual({ page: 1, path: [] });
  });
});
