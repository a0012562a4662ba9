import { expect, test } from 'vitest';

import type { Layout } from './board';
import { fits, isFrozen, ownOf, switched, withTrained } from './training';

const layout = { bands: [{}, {}], columns: ['attn.qk', 'mlp.in'] } as unknown as Layout;

test('a cell that is frozen has nothing else to say, and one that learns does not say so', () => {
  const board = withTrained(switched(layout), 0, 1, { train: false, rank: 4 });
  expect(board).toEqual([
    [{}, { train: false }],
    [{}, {}],
  ]);
  expect(withTrained(board, 0, 1, { train: true, rank: 4 })[0]).toEqual([{}, { rank: 4 }]);
  expect(isFrozen(board)).toBe(false);
});

test('of a board that was written out, what its recipe says is left out', () => {
  const cell = { train: true, rank: 8, alpha: 16, learning_rate: 1 };
  const [[first, second] = []] = ownOf([[cell, { ...cell, rank: 32, alpha: 64 }]], { rank: 8, alpha: 16 });
  expect([first?.rank, first?.alpha]).toEqual([undefined, undefined]);
  expect([second?.rank, second?.alpha, second?.train]).toEqual([32, 64, true]);
});

test('a board of other rows or columns does not fit', () => {
  expect(fits(layout, switched(layout))).toBe(true);
  expect(fits(layout, [[{}, {}]])).toBe(false);
  expect(fits(layout, [[{}], [{}]])).toBe(false);
});
