import { expect, test } from 'vitest';

import type { Job, Run } from '../../api/queries';
import { dependentsOf } from './dependents';

const job = (action: string, ids: string[], state: Job['state'], made: string[] = []) =>
  ({ args: { action, data_ids: ids }, state, result: { made } }) as unknown as Job;
const run = (name: string, learned: string | null, heldOut: string | null = null) =>
  ({
    recipe: { name },
    data_set: learned && { id: learned },
    held_out: heldOut && { id: heldOut },
  }) as Run;

test('what was made of a set, what learned from it and what reads it is named', () => {
  const sets = [
    { id: 'a', name: 'all.jsonl' },
    { id: 'b', name: 'all.train' },
    { id: 'c', name: 'other.jsonl' },
  ];
  const jobs = [
    job('split', ['a'], 'succeeded', ['b', 'gone']),
    job('mix', ['c', 'a'], 'running'),
    job('check', ['c'], 'running'),
    job('shape', ['a'], 'failed', ['c']),
  ];
  const runs = [run('one', 'a'), run('two', 'c', 'a'), run('three', 'c')];
  expect(dependentsOf({ id: 'a' }, sets, jobs, runs)).toEqual({
    made: ['all.train'],
    runs: ['one', 'two'],
    going: ['mix'],
  });
});
