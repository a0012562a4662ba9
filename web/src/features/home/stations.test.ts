import { expect, test } from 'vitest';

import type { BaseEntry, Job, Run } from '../../api/queries';
import { tables } from '../../words';
import { formatFor } from '../../words/format';
import { stationsOf } from './stations';

const base = (...variants: string[]) =>
  ({
    base: { id: 'b', name: 'small' },
    adapters: [],
    variants: [
      { id: 'v', name: 'small', adapters: [], created_at: '2026-01-01' },
      ...variants.map((name, place) => ({
        id: name,
        name,
        adapters: [{ adapter_id: name, gain: 1 }],
        created_at: `2026-01-0${place + 2}`,
      })),
    ],
  }) as unknown as BaseEntry;
const run = (id: string, state: Job['state']) => ({ samples: 80, job: { id, state } }) as Run;
const stations = (models: BaseEntry[], runs: Run[] = [], answered = false) =>
  stationsOf({ models, runs, answered }, tables.en.home, formatFor('en'));
const standings = (...given: Parameters<typeof stations>) =>
  stations(...given).map(({ standing }) => standing);

test('an empty studio begins at the base', () => {
  expect(standings([])).toEqual(['next', 'open', 'open', 'open', 'open']);
});

test('with a base, data comes next, and the form is one press away', () => {
  expect(standings([base()])).toEqual(['reached', 'next', 'open', 'open', 'open']);
  expect(stations([base()])[1]?.link).toEqual({ to: '/runs', search: { start: '' } });
});

test('a run that goes on is where one is, and its station leads to it', () => {
  const found = stations([base()], [run('r', 'running')]);
  expect(found.map(({ standing }) => standing)).toEqual(['reached', 'reached', 'now', 'open', 'open']);
  expect(found[2]?.link).toEqual({ to: '/runs/$runId', params: { runId: 'r' } });
});

test('a failed run is not one that was done', () => {
  expect(standings([base()], [run('r', 'failed')])[2]).toBe('next');
});

test('the newest variant is the one to ask', () => {
  const found = stations([base('one', 'two')], [run('r', 'succeeded')]);
  expect(found.map(({ standing }) => standing)).toEqual(['reached', 'reached', 'reached', 'reached', 'next']);
  expect(found[4]?.link).toEqual({ to: '/chat', search: { variant: 'two' } });
});

test('all the way round', () => {
  expect(new Set(standings([base('one')], [run('r', 'succeeded')], true))).toEqual(new Set(['reached']));
});

test('without any variant the base is the one that answers', () => {
  expect(stations([base()])[4]?.state).toBe(tables.en.home.servedBase);
});
