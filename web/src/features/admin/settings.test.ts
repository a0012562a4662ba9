import { expect, it } from 'vitest';

import { differing, editOf, rebase, type Settings } from './settings';

const settings: Settings = {
  allowed_origins: ['https://a.example'],
  answer_seconds: 600,
  batch_size: 256,
  concurrency: 4,
  created_at: '2026-01-01T00:00:00Z',
  default_variant: null,
  learn_from_everybody: false,
  max_tokens: 512,
  queue_length: 80,
  requests_per_minute: 600,
  revision: 3,
  system_prompt: '',
  temperature: 0.7,
  top_p: 0.95,
};

it('finds what differs, whatever the revision says', () => {
  const same = { ...settings, revision: 4, created_at: null, allowed_origins: ['https://a.example'] };
  expect(differing(same, settings)).toEqual([]);
  expect(differing({ ...settings, temperature: 0, requests_per_client: 2 }, settings)).toEqual([
    'temperature',
    'requests_per_client',
  ]);
});

it('keeps what was entered on top of what somebody else has saved meanwhile', () => {
  const edit = { ...editOf(settings), draft: { ...settings, temperature: 0.2, top_p: 0.5 } };
  const newest = { ...settings, revision: 4, temperature: 1, max_tokens: 64 };
  const { base, draft, theirs } = rebase(edit, newest);
  expect(base).toBe(newest);
  expect(draft).toEqual({ ...newest, temperature: 0.2, top_p: 0.5 });
  expect(differing(draft, base)).toEqual(['temperature', 'top_p']);
  expect([...theirs].sort()).toEqual(['max_tokens', 'temperature']);
});

it('remembers every change of somebody else until the edit is saved', () => {
  const edit = { ...editOf(settings), draft: { ...settings, top_p: 0.5 } };
  const once = rebase(edit, { ...settings, revision: 4, max_tokens: 64 });
  const twice = rebase(once, { ...settings, revision: 5, max_tokens: 64, concurrency: 8 });
  expect(twice.theirs).toEqual(['max_tokens', 'concurrency']);
});

it('takes newer settings over without a word where nothing was entered', () => {
  const newest = { ...settings, revision: 4, temperature: 1 };
  expect(rebase(editOf(settings), newest)).toEqual(editOf(newest));
});

it('has nothing left to save where somebody else entered the same', () => {
  const edit = { ...editOf(settings), draft: { ...settings, temperature: 1 } };
  const { base, draft } = rebase(edit, { ...settings, revision: 4, temperature: 1 });
  expect(differing(draft, base)).toEqual([]);
});
