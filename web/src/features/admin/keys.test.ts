import { expect, it } from 'vitest';

import { dayOf, endOf } from './keys';

const now = new Date(2026, 0, 31, 15, 30);
const end = (year: number, month: number, day: number) =>
  new Date(year, month - 1, day, 23, 59, 59).toISOString();

it.each([
  ['days30', end(2026, 3, 2)],
  ['days90', end(2026, 5, 1)],
  ['year', end(2027, 1, 31)],
] as const)('a key for %s ends with its last day', (term, expected) => {
  expect(endOf(term, '', now)).toBe(expected);
});

it('a key until a date is good for all of that day, where the page is', () => {
  expect(endOf('date', '2026-02-28', now)).toBe(end(2026, 2, 28));
  expect(dayOf(endOf('date', '2026-02-28', now) ?? '')).toBe('2026-02-28');
});

it('never, and a date that is none, have no end', () => {
  expect(endOf('never', '2026-02-28', now)).toBeNull();
  expect(endOf('date', '', now)).toBeNull();
});
