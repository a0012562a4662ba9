import { expect, test } from 'vitest';

import { formatFor } from './format';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [98_362_432, '98.4 MB'],
  [1.2e12, '1.2 TB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatFor('en').bytes(bytes)).toBe(text);
});

test.each([
  [5.4, '0:05'],
  [185, '3:05'],
  [3_723, '1:02:03'],
])('%d seconds read as %s', (seconds, text) => {
  expect(formatFor('ko').duration(seconds)).toBe(text);
});

const now = Date.parse('2026-03-10T12:00:00Z');
test.each([
  ['2026-03-10T11:59:31Z', 'now', '지금'],
  ['2026-03-10T12:00:05Z', 'now', '지금'],
  ['2026-03-10T11:55:00Z', '5 minutes ago', '5분 전'],
  ['2026-03-10T03:00:00Z', '9 hours ago', '9시간 전'],
  ['2026-03-01T12:00:00Z', '9 days ago', '9일 전'],
])('%s reads as %s', (iso, english, korean) => {
  expect(formatFor('en').ago(iso, now)).toBe(english);
  expect(formatFor('ko').ago(iso, now)).toBe(korean);
});
