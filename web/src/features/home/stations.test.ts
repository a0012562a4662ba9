import { expect, test } from 'vitest';

import type { BaseEntry, Job, Run } from '../../api/queries';
import { tables } from '../../words/tables';
import { formatFor } from '../../words/format';
import { stationsOf, type Holdings, type Station, type StationName } from './stations';

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
const NOTHING: Holdings = {
  models: [],
  runs: [],
  collections: [],
  sets: 0,
  ingesting: false,
  answered: false,
};
const stations = (held: Partial<Holdings> = {}) => {
  const found = stationsOf({ ...NOTHING, ...held }, tables.en.home, formatFor('en'));
  return Object.fromEntries(found.map((one) => [one.name, one])) as Record<StationName, Station>;
};
/** In the order of the loop, without the documents. */
const standings = (held: Partial<Holdings> = {}) =>
  Object.values(stations(held))
    .filter(({ name }) => name !== 'documents')
    .map(({ standing }) => standing);
const collection = (documents: number, failed = 0) =>
  ({ documents, failed }) as Holdings['collections'][number];

test('an empty studio begins at the base', () => {
  expect(standings()).toEqual(['next', 'open', 'open', 'open', 'open']);
});

test('with a base, data comes next, and with data the form of a run', () => {
  expect(standings({ models: [base()] })).toEqual(['reached', 'next', 'open', 'open', 'open']);
  const held = { models: [base()], sets: 2 };
  expect(standings(held)).toEqual(['reached', 'reached', 'next', 'open', 'open']);
  expect(stations(held).run.link).toEqual({ to: '/runs', search: { start: '' } });
});

test('data says how many sets there are and what was learned last', () => {
  const { home } = tables.en;
  expect(stations({ sets: 2 }).data.state).toBe(home.dataSets('2'));
  expect(stations({ runs: [run('r', 'failed')] }).data.state).toBe(home.dataSome('80'));
  expect(stations({ sets: 2, runs: [run('r', 'failed')] }).data.state).toBe(
    '2 sets · 80 examples learned last',
  );
});

test('a run that goes on is where one is, and its station leads to it', () => {
  const held = { models: [base()], runs: [run('r', 'running')] };
  expect(standings(held)).toEqual(['reached', 'reached', 'now', 'open', 'open']);
  expect(stations(held).run.link).toEqual({ to: '/runs/$runId', params: { runId: 'r' } });
});

test('a failed run is not one that was done', () => {
  expect(standings({ models: [base()], runs: [run('r', 'failed')] })[2]).toBe('next');
});

test('the newest variant is the one to ask', () => {
  const held = { models: [base('one', 'two')], runs: [run('r', 'succeeded')] };
  expect(standings(held)).toEqual(['reached', 'reached', 'reached', 'reached', 'next']);
  expect(stations(held).served.link).toEqual({ to: '/chat', search: { variant: 'two' } });
});

test('all the way round', () => {
  expect(
    new Set(standings({ models: [base('one')], runs: [run('r', 'succeeded')], answered: true })),
  ).toEqual(new Set(['reached']));
});

test('without any variant the base is the one that answers', () => {
  expect(stations({ models: [base()] }).served.state).toBe(tables.en.home.servedBase);
});

test('documents stand on the learning track, after the base', () => {
  expect(Object.keys(stations())).toEqual(['base', 'documents', 'data', 'run', 'variant', 'served']);
});

test('documents are no condition of a training, and the next step once all others are taken', () => {
  expect(stations({ models: [base()] }).documents.standing).toBe('open');
  const all = { models: [base('one')], runs: [run('r', 'succeeded')], answered: true };
  expect(stations(all).documents.standing).toBe('next');
  expect(stations({ ...all, collections: [collection(3)] }).documents.standing).toBe('reached');
});

test('what could not be read is not taken in', () => {
  expect(stations({ collections: [collection(2, 2)] }).documents.standing).toBe('open');
  const { state } = stations({ collections: [collection(3, 1), collection(4)] }).documents;
  expect(state).toBe(tables.en.home.documentsSome('6'));
});

test('documents on their way are where one is', () => {
  expect(stations({ ingesting: true }).documents.standing).toBe('now');
});
