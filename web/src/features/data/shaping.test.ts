import { expect, test } from 'vitest';

import type { DataSet, Report } from './queries';
import { choicesOf, isTrainable, partsOf, shapingOf, sharesFault, USUAL, USUAL_SHARES } from './shaping';

test('what the report has found can be left out, and nothing else is offered', () => {
  const findings = [
    { kind: 'broken', rows: 2 },
    { kind: 'personal', rows: 1 },
    { kind: 'duplicate', rows: 3 },
    { kind: 'untidy', rows: 4 },
  ];
  expect(choicesOf({ findings } as Report)).toEqual(['duplicate', 'personal']);
});

test('masked samples are kept, whatever was chosen before', () => {
  const draft = { ...USUAL, drop: [...USUAL.drop, 'personal' as const] };
  expect(shapingOf(draft).drop).toContain('personal');
  expect(shapingOf({ ...draft, mask: true })).toMatchObject({ drop: USUAL.drop, mask_personal: true });
});

test('limits that were left empty are none', () => {
  expect(shapingOf(USUAL)).toMatchObject({
    to: 'messages',
    shortest_answer: 1,
    longest_answer: null,
    per_source: null,
    at_most: null,
  });
});

test.each([
  ['never checked', null, null, true],
  ['all samples', 7, 7, true],
  ['with a broken row', 7, 6, false],
])('a run can take a set that is %s: %s of %s', (_, rows, samples, expected) => {
  const recognized = { format: 'alpaca' } as DataSet['recognized'];
  expect(isTrainable({ recognized, rows, samples })).toBe(expected);
});

test('a run cannot take a set whose columns say nothing', () => {
  const recognized = { format: null, file: 'csv' } as DataSet['recognized'];
  expect(isTrainable({ recognized, rows: null, samples: null })).toBe(false);
});

test('shares make a hundred, and a part without one is left away', () => {
  expect(sharesFault(USUAL_SHARES)).toBeNull();
  expect(sharesFault({ train: 80, tuning: 10, proof: undefined })).toBe('sum');
  expect(sharesFault({ train: 110, tuning: -10, proof: 0 })).toBe('positive');
  expect(sharesFault({ train: undefined, tuning: undefined, proof: undefined })).toBe('positive');
  expect(partsOf({ train: 75, tuning: 0, proof: 25 })).toEqual([
    { name: 'train', share: 0.75 },
    { name: 'proof', share: 0.25 },
  ]);
});
