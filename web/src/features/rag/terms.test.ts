import { describe, expect, it } from 'vitest';

import { markTerms, tellingTerms, wordsOf } from './terms';

const shown = (text: string, terms: string[]) =>
  markTerms(text, terms)
    .map((part) => (part.marked ? `[${part.text}]` : part.text))
    .join('');

describe('markTerms', () => {
  it.each([
    ['The Ferry, a ferryman and ferries.', ['ferry'], 'The [Ferry], a ferryman and ferries.'],
    ['It costs 41,300 or 413000 tarn.', ['41300'], 'It costs [41,300] or 413000 tarn.'],
    ['조합원의 가입비는 20,000탄', ['가입', '입비', '20000', '비는'], '조합원의 [가입비는] [20,000]탄'],
    ['PDF파일을 여세요', ['pdf', '파일'], '[PDF파일]을 여세요'],
    ['a.b (c)', ['(c)', 'a.c'], 'a.b [(c)]'],
    ['🐚 shells 🐚', ['shells'], '🐚 [shells] 🐚'],
    ['nothing', [], 'nothing'],
  ])('marks in %s what was looked for', (text, terms, expected) => {
    expect(shown(text, terms)).toBe(expected);
  });
});

describe('wordsOf', () => {
  it('puts the words of the passages in the place of a stem', () => {
    expect(wordsOf(['borrow', '가입'], { borrow: ['borrowed', 'borrows'] })).toEqual([
      ...['borrowed', 'borrows', '가입'],
    ]);
  });
});

describe('tellingTerms', () => {
  it('leaves out what stands everywhere or nowhere', () => {
    expect(tellingTerms(['the', 'ferry', 'ferry', 'zzz'], { the: 0.2, ferry: 4, zzz: 0 })).toEqual(['ferry']);
  });
});
