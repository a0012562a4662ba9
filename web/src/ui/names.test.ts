import { expect, test } from 'vitest';

import { nameFault } from './names';

test.each([
  ['', null],
  ['nurimae', null],
  ['누리매-2.0:q4_1', null],
  ['  spaced around  ', 'letters'],
  ['-first', 'letters'],
  ['a/b', 'letters'],
  ['<script>', 'letters'],
  ['\u202eabc', 'letters'],
  ['a'.repeat(100), null],
  ['a'.repeat(101), 'long'],
  ['0'.repeat(64), 'id'],
  ['674d148b-d928-4122-b2d3-2298b1744425', 'id'],
  ['mine', 'taken'],
  [' mine ', 'taken'],
])('%j is %s', (name, fault) => {
  expect(nameFault(name, new Set(['mine']))).toBe(fault);
});

test('Hangul typed in parts is the composed name', () => {
  expect(nameFault('누리매'.normalize('NFD'), new Set(['누리매']))).toBe('taken');
});
