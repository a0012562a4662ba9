import { expect, test } from 'vitest';

import { extend, rateOf, type Sample } from './rate';

const told = (...samples: [number, number][]) =>
  samples.reduce<readonly Sample[]>((all, [at, bytes]) => extend(all, { at, bytes }), []);

test('bytes a second over what was told', () => {
  expect(rateOf(told([0, 0], [1_000, 4_000], [2_000, 6_000]))).toBe(3_000);
});

test('no rate before there is enough to judge by', () => {
  expect(rateOf(told([0, 0], [200, 9_000]))).toBeUndefined();
});

test('what lies far back no longer counts', () => {
  expect(rateOf(told([0, 0], [20_000, 100], [22_000, 2_100]))).toBe(1_000);
});

test('a count that falls starts anew', () => {
  expect(told([0, 0], [2_000, 9_000], [3_000, 50])).toEqual([{ at: 3_000, bytes: 50 }]);
});

test('the same moment told twice counts once', () => {
  expect(told([0, 0], [0, 500])).toEqual([{ at: 0, bytes: 0 }]);
});
