import { expect, test } from 'vitest';

import { gainsOf, pairsOf, type GainScore } from './report';

const scored = (gain: number, ...answers: string[]): GainScore => ({
  gain,
  exact: 0,
  total: answers.length,
  task_loss: 1,
  forgetting: null,
  answers: answers.map((answer, place) => ({ question: `q${place}`, key: 'k', answer, correct: false })),
});

test('the base stands beside gain 1, wherever that is in the list', () => {
  const found = pairsOf([scored(0, 'a', 'b'), scored(1, 'c', 'd'), scored(1.5, 'e', 'f')]);
  expect(found?.score.gain).toBe(1);
  expect(found?.pairs.map(({ before, after }) => [before.answer, after.answer])).toEqual([
    ['a', 'c'],
    ['b', 'd'],
  ]);
});

test('without gain 1 the highest takes its place', () => {
  expect(pairsOf([scored(0, 'a'), scored(0.5, 'b')])?.score.gain).toBe(0.5);
});

test('a board comes before gain 1', () => {
  const board = { ...scored(1, 'c'), gain: null, board: { cells: [[0.5]] } };
  expect(pairsOf([scored(0, 'a'), board, scored(1, 'b')])?.score).toBe(board);
});

test('one gain alone has nothing beside it', () => {
  expect(pairsOf([scored(0, 'a')])).toBeNull();
  expect(pairsOf([scored(1, 'a')])).toBeNull();
});

test('a result of another shape is no result', () => {
  expect(gainsOf(null)).toEqual([]);
  expect(gainsOf({ gains: 'many' })).toEqual([]);
});
