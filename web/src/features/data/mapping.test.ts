import { expect, test } from 'vitest';

import { columnsOf, faultOf, kindOf } from './mapping';
import { mixOf } from './mixing';
import { samplesOf } from './origin';
import { isAbout } from './queries';
import { runsOf } from './tokens';

test('what belongs to another kind of row is not sent along', () => {
  const draft = { prompt: 'q', answer: 'a', text: 'body', source: '' };
  expect(columnsOf('alpaca', draft)).toEqual({ prompt: 'q', answer: 'a' });
  expect(columnsOf('text', draft)).toEqual({ text: 'body' });
});

test.each([
  ['alpaca', { prompt: 'q' }, 'missing'],
  ['alpaca', { prompt: 'q', answer: 'q' }, 'twice'],
  ['alpaca', { prompt: 'q', answer: 'a' }, null],
  ['preference', { chosen: 'good', rejected: 'bad' }, null],
  ['preference', { prompt: 'q', chosen: 'good' }, 'missing'],
  ['messages', {}, 'missing'],
] as const)('%s from %o: %s', (kind, draft, fault) => {
  expect(faultOf(kind, draft)).toBe(fault);
});

test('the form begins with what the file seems to be', () => {
  expect(kindOf('sharegpt', 2)).toBe('messages');
  expect(kindOf('preference', 3)).toBe('preference');
  expect(kindOf(null, 1)).toBe('text');
  expect(kindOf(undefined, 5)).toBe('alpaca');
});

test('a mix needs a name and two sets; what was left empty is not said', () => {
  const draft = { name: ' both ', chosen: { a: {}, b: { weight: 2, atLeast: 30 } }, window: 500 };
  expect(mixOf({ ...draft, name: ' ' })).toBeNull();
  expect(mixOf({ ...draft, chosen: { a: {} } })).toBeNull();
  expect(mixOf(draft)).toEqual({
    name: 'both',
    sets: [
      { data_id: 'a', at_least: 0 },
      { data_id: 'b', at_least: 30, weight: 2 },
    ],
    seed: 0,
    window: 500,
  });
});

test('tokens are joined as long as they are alike', () => {
  const token = (text: string, trained: boolean) => ({ id: 1, text, trained });
  const tokens = [
    token('<s>', false),
    token('Hi', false),
    token('', true),
    token('한', true),
    token('.', false),
  ];
  expect(runsOf({ tokens })).toEqual([
    { trained: false, tokens: ['<s>', 'Hi'] },
    { trained: true, tokens: ['', '한'] },
    { trained: false, tokens: ['.'] },
  ]);
});

test('a job is about the set that it names first, not about what is held out', () => {
  const args = { action: 'check', data_ids: ['one', 'held'] };
  expect(isAbout({ args }, 'one', 'check')).toBe(true);
  expect(isAbout({ args }, 'held', 'check')).toBe(false);
  expect(isAbout({ args }, 'one', 'split')).toBe(false);
});

test('a part has as many samples as its split counted', () => {
  const part = { file: '', fingerprint: '', groups: 1, wanted: 0.5 };
  const split = {
    source: 'facts',
    fingerprint: '',
    seed: 0,
    grouped_by: 'content',
    samples: 5,
    groups: 2,
    largest_group: 3,
    left_out: 0,
    parts: [
      { ...part, name: 'train', samples: 4 },
      { ...part, name: 'proof', samples: 1 },
    ],
  };
  expect(samplesOf({ split, part: 'proof' })).toBe(1);
  expect(samplesOf(null)).toBeNull();
});
