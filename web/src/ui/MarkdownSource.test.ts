import { describe, expect, it } from 'vitest';

import { isUnparsable, markFormulas, splitBlocks } from './MarkdownSource';

describe('splitBlocks', () => {
  const paragraph = 'word '.repeat(150).trim();
  const text = [
    paragraph,
    '```\na\n\nb\n\nc\n```',
    paragraph,
    `- x\n\n  y\n\n- z`,
    paragraph,
    `$$\na\n\nb\n$$`,
    paragraph,
  ].join('\n\n');

  it('gives the text again when joined', () => {
    expect(splitBlocks(text).join('')).toBe(text);
    expect(splitBlocks(text).length).toBeGreaterThan(3);
  });

  it('keeps every block but the last as the text grows', () => {
    for (let length = 1; length <= text.length; length += 1) {
      const blocks = splitBlocks(text.slice(0, length));
      expect(text.startsWith(blocks.slice(0, -1).join(''))).toBe(true);
      for (const block of blocks.slice(0, -1)) expect(splitBlocks(text)).toContain(block);
    }
  });

  it('cuts a long list between its items, and so that their numbers go on', () => {
    const items = Array.from(
      { length: 120 },
      (_, index) => `${index + 1}. ${'word '.repeat(12)}\n\n     more\n\n`,
    );
    const list = items.join('');
    const blocks = splitBlocks(list);
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks) expect(block).toMatch(/^\d+\. /);
    for (let length = 1; length <= list.length; length += 7) {
      for (const block of splitBlocks(list.slice(0, length)).slice(0, -1)) expect(blocks).toContain(block);
    }
  });

  it('cuts a growing text in spite of definitions', () => {
    const whole = `${text}\n\n[a]: https://a.example`;
    expect(splitBlocks(whole, true).length).toBeGreaterThan(3);
  });

  it('does not cut code, formulas, lists, or a text with definitions', () => {
    const blocks = splitBlocks(text);
    expect(blocks.some((block) => block.includes('```\na\n\nb\n\nc\n```'))).toBe(true);
    expect(blocks.some((block) => block.includes('$$\na\n\nb\n$$'))).toBe(true);
    expect(blocks.some((block) => block.includes('- x\n\n  y\n\n- z'))).toBe(true);
    expect(splitBlocks(`${text}\n\n[a]: https://a.example`)).toHaveLength(1);
  });
});

describe('markFormulas', () => {
  it.each([
    ['it costs $5 and $10', 'it costs $5 and $10', false],
    ['$x$ for $5', '$x$ for \\$5', true],
    ['\\(a+b\\) and `\\(c\\)`', '$a+b$ and `\\(c\\)`', true],
    ['\\[\na\n\\]', '$$\na\n$$', true],
    ['so $$a$$ here', 'so $$a$$ here', true],
    ['$$ a $$', '$$\na\n$$', true],
    ['```\n$a$\n```', '```\n$a$\n```', false],
    ['\\$a$ b', '\\$a$ b', false],
    ['$x', '$x', false],
  ])('%s', (text, marked, formulas) => {
    expect(markFormulas(text)).toEqual({ text: marked, formulas });
  });
});

it('isUnparsable lets lines across the page through', () => {
  expect(isUnparsable('-'.repeat(80))).toBe(false);
  expect(isUnparsable('* '.repeat(3))).toBe(false);
});
