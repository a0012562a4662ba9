import { expect, test } from 'vitest';

import type { Job, Run } from '../../api/queries';
import { fitting, isFilter, tally } from './filters';

const run = (name: string, state: Job['state']) => ({ recipe: { name }, job: { id: name, state } }) as Run;
const runs = [
  run('Waiting', 'queued'),
  run('going', 'running'),
  run('done', 'succeeded'),
  run('broken', 'failed'),
  run('done-2', 'succeeded'),
];
const names = (found: Run[]) => found.map(({ recipe }) => recipe.name);

test('what waits and what runs goes on', () => {
  expect(tally(runs)).toEqual({ all: 5, active: 2, succeeded: 2, failed: 1, cancelled: 0 });
  expect(names(fitting(runs, 'active', ''))).toEqual(['Waiting', 'going']);
});

test('by name, whatever its letters’ case', () => {
  expect(names(fitting(runs, 'all', ' WAIT '))).toEqual(['Waiting']);
  expect(names(fitting(runs, 'failed', 'done'))).toEqual([]);
});

test('an address may say anything', () => {
  expect(isFilter('failed')).toBe(true);
  expect(isFilter('toString')).toBe(false);
  expect(isFilter(undefined)).toBe(false);
});
