import { expect, test } from 'vitest';

import type { Run } from '../../api/queries';
import { breaks, differences, draftOf, draftOn, freeName, recipeOf, type Sensed } from './recipe';

const recipe = (changed: Partial<Run['recipe']> = {}) =>
  ({ base: 'b', name: 'n', epochs: 3, rank: 16, max_length: null, modules: [], ...changed }) as Run['recipe'];
const run = (changed: Partial<Run['recipe']>) => ({ recipe: recipe(changed) }) as Run;

test('a draft from a run asks for what the run asked for', () => {
  expect(recipeOf(draftOf(recipe({ too_long: 'truncate' })))).toEqual({
    epochs: 3,
    rank: 16,
    too_long: 'truncate',
    modules: [],
  });
});

test('what the form does not show is carried over, and no data that may be gone', () => {
  const board: Run['recipe']['board'] = [[{ train: false, learning_rate: 1 }]];
  const from = draftOf(recipe({ held_out_id: 'h', checkpoints: 2, sample_every: 0, data_id: 'd', board }));
  expect(recipeOf(from)).toMatchObject({ checkpoints: 2, sample_every: 0, board });
  expect(from).not.toHaveProperty('data_id');
  expect(from).not.toHaveProperty('held_out_id');
});

test('a draft on a suggested board has its ranks, and the data set that was measured', () => {
  const board = [[{ rank: 6, alpha: 12 }, { train: false }]];
  const suggested = { rank: 4, alpha: 8, board };
  expect(recipeOf(draftOn({ suggested, data_set: { id: 'd' } } as unknown as Sensed))).toEqual({
    rank: 4,
    alpha: 8,
    board,
    data_id: 'd',
  });
  expect(recipeOf(draftOn({ suggested, data_set: null } as unknown as Sensed))).not.toHaveProperty('data_id');
});

test('blank questions are not asked for, and a goal without anything is none', () => {
  expect(recipeOf({ goal: { prompts: [' Who? ', '', ' '], criteria: ' ' } })).toEqual({
    goal: { prompts: ['Who?'], criteria: '' },
  });
  expect(recipeOf({ rank: 8, goal: { prompts: [''], criteria: '' } })).toEqual({ rank: 8 });
  expect(recipeOf({ goal: null })).toEqual({});
});

test('an emptied field goes back to its default', () => {
  expect(recipeOf({ epochs: undefined, rank: 8 } as never)).toEqual({ rank: 8 });
});

test.each([
  [0, true],
  [1, false],
  [1000, false],
  [1001, true],
])('epochs of %d are out of range: %s', (value, out) => {
  expect(breaks({ minimum: 1, maximum: 1000 }, value)).toBe(out);
});

test('an exclusive bound is outside', () => {
  expect(breaks({ exclusiveMinimum: 0, maximum: 1 }, 0)).toBe(true);
  expect(breaks({ minimum: 0, exclusiveMaximum: 1 }, 1)).toBe(true);
  expect(breaks({ exclusiveMinimum: 0 }, 0.1)).toBe(false);
  expect(breaks(undefined, -5)).toBe(false);
});

test('a taken name gets the next number', () => {
  expect(freeName('mine', new Set())).toBe('mine');
  expect(freeName('mine', new Set(['mine', 'mine-2']))).toBe('mine-3');
  expect(freeName('mine-2', new Set(['mine', 'mine-2']))).toBe('mine-3');
  expect(freeName('a'.repeat(100), new Set(['a'.repeat(100)])).length).toBeLessThanOrEqual(100);
});

test('two runs differ where their recipes do', () => {
  expect(differences(run({ rank: 8 }), run({ rank: 16, modules: ['attn.qk'] }))).toEqual(['rank', 'modules']);
  expect(differences(run({}), run({}))).toEqual([]);
});
