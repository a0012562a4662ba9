import { expect, it } from 'vitest';

import type { Job } from '../../api/queries';
import { isAbout, shownJobs, sourcesOf } from './activity';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const job = (id: string, state: Job['state'], more: Partial<Job> = {}) =>
  ({
    id,
    kind: 'ingest',
    state,
    args: { collection: 'c' },
    result: null,
    finished_at: '2026-03-01T11:50:00Z',
    ...more,
  }) as Job;
const shown = (jobs: Job[], marks: { started?: string[]; dismissed?: string[] } = {}) =>
  shownJobs(jobs, {
    started: new Set(marks.started),
    dismissed: new Set(marks.dismissed),
    now: NOW,
  }).map(({ id }) => id);

it('shows what goes on, whoever started it, and no other kind of job', () => {
  expect(shown([job('a', 'queued'), job('b', 'running'), job('c', 'running', { kind: 'train' })])).toEqual([
    'a',
    'b',
  ]);
});

it('tells how it ended to who saw it start', () => {
  const jobs = [job('a', 'succeeded'), job('b', 'succeeded')];
  expect(shown(jobs, { started: ['b'] })).toEqual(['b']);
  expect(shown(jobs, { started: ['b'], dismissed: ['b'] })).toEqual([]);
});

it('shows for an hour what went wrong, also with a part of it', () => {
  const partly = { result: { failed: 1, failures: [] } };
  expect(shown([job('a', 'failed'), job('b', 'succeeded', partly)])).toEqual(['a', 'b']);
  expect(shown([job('a', 'failed', { finished_at: '2026-03-01T10:50:00Z' })])).toEqual([]);
});

it('knows the collection by id, by the name it was made with, and by its report', () => {
  const collection = { id: 'c', name: 'rules' };
  expect(isAbout(job('a', 'running'), collection)).toBe(true);
  expect(isAbout(job('a', 'running', { args: { collection: 'rules' } }), collection)).toBe(true);
  const renamed = job('a', 'succeeded', { args: { collection: 'old' }, result: { collection_id: 'c' } });
  expect(isAbout(renamed, collection)).toBe(true);
  expect(isAbout(job('a', 'running', { args: { collection: 'old' } }), collection)).toBe(false);
});

it('names what a job takes in', () => {
  const args = { uploads: [], urls: ['https://a.example'], path: null };
  expect(sourcesOf(job('a', 'running', { args }))).toEqual(['https://a.example']);
  expect(sourcesOf(job('a', 'running', { args: { path: '/data' } }))).toEqual(['/data']);
});
