import { expect, test } from 'vitest';

import { curvesOf, gainOf, toggled, uniform, withCell, withPoint, type Layout } from './board';
import { monotone } from './curve';
import { cellsOf, strengthOf } from './EffectMap';
import { presetOf, readPreset } from './preset';
import { isFrozen, switched, withTrained } from './training';
import { step, type History } from './useHistory';

const LAYOUT: Layout = {
  columns: ['attn', 'mlp'],
  bands: [
    { first: 0, last: 2 },
    { first: 3, last: 4 },
  ],
  layers: 5,
};
const BASE = { id: 'a1', name: 'base' };

test('a curve through points is the one that the studio computes', () => {
  // Values of twotrack.equalizer.expansion.monotone.
  expect(monotone([0, 0.5, 1], [0, 1, 0], [0, 0.25, 0.5, 0.75, 1])).toEqual([0, 0.625, 1, 0.625, 0]);
  const found = monotone([0.1, 0.4, 0.9], [1, 0.2, -0.4], [0, 0.2, 0.5, 0.8, 1]);
  [1, 0.712056, 0.047411, -0.288147, -0.4].forEach((value, at) => expect(found[at]).toBeCloseTo(value, 4));
  expect(monotone([0.5], [2], [0, 1])).toEqual([2, 2]);
});

test('one cell is turned, and stays within its limits', () => {
  const board = withCell(uniform(LAYOUT, 1), 1, 0, 7);
  expect(board.cells).toEqual([
    [1, 1],
    [2, 1],
  ]);
  expect(gainOf(board)).toBeNull();
  expect(gainOf(uniform(LAYOUT, 0.5))).toBe(0.5);
});

test('a column is turned off where it acts, and on where it does not', () => {
  const off = toggled(uniform(LAYOUT, 0.5), (_, column) => column === 1);
  expect(off.cells).toEqual([
    [0.5, 0],
    [0.5, 0],
  ]);
  expect(toggled(off, (_, column) => column === 1).cells[0]).toEqual([0.5, 1]);
});

test('a point is dragged, and never past its neighbour', () => {
  const board = withPoint(uniform(LAYOUT, 1), LAYOUT, 0, 0, { depth: 2, gain: 0.333 });
  const [first, second] = curvesOf(board, LAYOUT)[0] ?? [];
  expect(first).toEqual({ depth: (second?.depth ?? 0) - 0.01, gain: 0.33 });
  // A cell that is turned afterwards counts again.
  expect(withCell(board, 0, 0, 0).points).toBeUndefined();
});

test('a preset comes back as it was, and another base or shape is told', () => {
  const board = withCell(uniform(LAYOUT, 1), 0, 1, -0.5);
  const text = presetOf(board, LAYOUT, BASE);
  expect(readPreset(text, LAYOUT, 'a1')).toEqual(board);
  expect(readPreset(text, LAYOUT, 'b2')).toBe('base');
  expect(readPreset(text, { ...LAYOUT, columns: ['attn'] }, 'a1')).toBe('shape');
  for (const wrong of ['{', '{}', 'null', text.replace('-0.5', '9'), text.replace('-0.5', '"1"')]) {
    expect(readPreset(wrong, LAYOUT, 'a1')).toBe('format');
  }
});

test('moves of one thing are one step back', () => {
  let history: History<number> = { past: [], now: 0, future: [], by: null };
  for (const value of [1, 2, 3]) history = step(history, { kind: 'set', value, by: 'cell 0' });
  history = step(history, { kind: 'set', value: 9, by: null });
  history = step(history, { kind: 'undo' });
  expect(history.now).toBe(3);
  history = step(history, { kind: 'undo' });
  expect(history.now).toBe(0);
  expect(step(history, { kind: 'undo' })).toBe(history);
  expect(step(history, { kind: 'redo' }).now).toBe(3);
});

test('only what lies beyond its noise is coloured', () => {
  expect(strengthOf({ rise: 0.5, error: 0.1 }, 1)).toBe(0.5);
  expect(strengthOf({ rise: 0.2, error: 0.1 }, 1)).toBe(0);
  expect(strengthOf({ rise: -0.2, error: null }, 0.4)).toBe(-0.5);
  expect(strengthOf({ rise: 0, error: null }, 0)).toBe(0);
  expect(cellsOf({ cells: 'none' })).toEqual([]);
});

test('a cell that is frozen says nothing else, and one that learns again is as the recipe', () => {
  const all = switched(LAYOUT);
  expect(isFrozen(all)).toBe(false);
  const frozen = withTrained(withTrained(all, 0, 0, { rank: 8, train: false }), 1, 1, {
    rank: 4,
    train: true,
  });
  expect(frozen).toEqual([
    [{ train: false }, {}],
    [{}, { rank: 4 }],
  ]);
  expect(isFrozen([[{ train: false }], [{ train: false }]])).toBe(true);
});
