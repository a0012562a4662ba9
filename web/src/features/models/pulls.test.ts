import { expect, test } from 'vitest';

import type { Job } from '../../api/queries';
import { askedBy, shownPulls } from './pulls';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const pull = (id: string, source: string, state: Job['state'], finished: string | null = null): Job => ({
  id,
  kind: 'pull',
  args: { source },
  state,
  progress: {},
  result: null,
  error: null,
  created_at: '2026-01-01T10:00:00Z',
  started_at: null,
  finished_at: finished,
});
const shown = (jobs: Job[], started: string[] = [], dismissed: string[] = []) =>
  shownPulls(jobs, { started: new Set(started), dismissed: new Set(dismissed), now: NOW }).map(
    ({ id }) => id,
  );

test('what goes on is shown, whoever started it', () => {
  expect(shown([pull('1', 'a', 'running'), pull('2', 'b', 'queued'), pull('3', 'c', 'succeeded')])).toEqual([
    '1',
    '2',
  ]);
});

test('a failure is shown for an hour, and after that only where it was started', () => {
  const fresh = pull('1', 'a', 'failed', '2026-01-01T11:30:00Z');
  const old = pull('2', 'b', 'failed', '2026-01-01T10:30:00Z');
  expect(shown([fresh, old])).toEqual(['1']);
  expect(shown([fresh, old], ['2'])).toEqual(['1', '2']);
});

test('a newer fetch of the same source takes the place of the older one', () => {
  const failed = pull('1', 'a', 'failed', '2026-01-01T11:30:00Z');
  expect(shown([pull('2', 'a', 'running'), failed], ['1', '2'])).toEqual(['2']);
  expect(shown([pull('2', 'a', 'succeeded'), failed])).toEqual([]);
});

test('what has been put away stays away, but not while it goes on', () => {
  const failed = pull('1', 'a', 'failed', '2026-01-01T11:30:00Z');
  expect(shown([failed], ['1'], ['1'])).toEqual([]);
  expect(shown([pull('1', 'a', 'running')], [], ['1'])).toEqual(['1']);
});

test('asking again asks for the same', () => {
  const args = { source: 'remote:http://host/v1', name: 'far', tokenizer: 'hf:a/b', more: 1 };
  expect(askedBy({ ...pull('1', '', 'failed'), args })).toEqual({
    source: 'remote:http://host/v1',
    name: 'far',
    tokenizer: 'hf:a/b',
  });
});
