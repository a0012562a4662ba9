import { describe, expect, it } from 'vitest';

import { tables } from '../../words/tables';
import { formatFor } from '../../words/format';
import { byDay, doer, flat, isKind, sentence, type Event } from './log';

const format = formatFor('en');
const shown = (_field: string, value: unknown) => String(value);
const telling = (language: 'en' | 'ko') => ({ words: tables[language], format, shown });
const event = (kind: string, details: Event['details'] = {}, created_at = '2026-03-10T12:00:00'): Event => ({
  id: 1,
  kind,
  details,
  created_at,
});

describe('sentence', () => {
  const known: [string, Event['details'], string][] = [
    ['key.created', { name: 'Kim', role: 'user' }, 'Key Kim made, role: User'],
    [
      'key.changed',
      {
        name: 'Kim',
        changes: { role: { before: 'user', after: 'admin' }, expires_at: { before: null, after: null } },
      },
      'Key Kim changed: Role from User to Administrator, Expiry from never to never',
    ],
    [
      'settings.changed',
      { changes: { temperature: { before: 0.7, after: 0 } } },
      'Settings changed: Temperature from 0.7 to 0',
    ],
    ['job.failed', { kind: 'pull' }, 'Fetch a model: failed'],
    [
      'access.refused',
      { reason: 'key-unknown', method: 'GET', path: '/v1/models', unwritten: 3 },
      'Refused: a key that opens nothing (GET /v1/models), and 3 more that were not written down',
    ],
  ];
  it.each(known)('tells %s', (kind, details, english) => {
    expect(sentence(event(kind, details), telling('en'))).toBe(english);
    expect(sentence(event(kind, details), telling('ko'))).toMatch(/[가-힣]/);
  });

  it('names a kind that it does not know', () => {
    expect(sentence(event('planet.discovered', { name: 'X' }), telling('en'))).toBe('planet.discovered');
  });

  it('cuts a value that is a whole text', () => {
    const long = 'x'.repeat(500);
    const told = sentence(
      event('settings.changed', { changes: { system_prompt: { before: '', after: long } } }),
      telling('en'),
    );
    expect(told.length).toBeLessThan(120);
  });

  it('takes details that are not what they should be', () => {
    for (const details of [{}, { name: 7, changes: null }, { changes: {} }])
      expect(sentence(event('key.changed', details as Event['details']), telling('en'))).toContain('Key');
  });
});

it('the owner has no key; nobody is nobody', () => {
  expect(doer(event('x', { by: { key_id: null, name: 'owner' } }), tables.en)).toBe('Owner');
  expect(doer(event('x', { by: { key_id: 'b0', name: 'Kim' } }), tables.en)).toBe('Kim');
  expect(doer(event('x', { by: null }), tables.en)).toBe('');
});

it('lays details flat', () => {
  expect(flat({ by: { name: 'Kim' }, path: '/x', values: [1, 2] })).toEqual([
    ['by.name', 'Kim'],
    ['path', '/x'],
    ['values.0', '1'],
    ['values.1', '2'],
  ]);
});

it('puts events under their days, in their order', () => {
  const events = ['2026-03-10T12:00:00', '2026-03-10T01:00:00', '2026-03-09T23:00:00'].map((at) =>
    event('x', {}, at),
  );
  expect(byDay(events, format).map(([day, of]) => [day, of.length])).toEqual([
    ['Tuesday, March 10, 2026', 2],
    ['Monday, March 9, 2026', 1],
  ]);
});

it('an address can only ask for kinds that there are', () => {
  expect(isKind('key')).toBe(true);
  expect(isKind("key' OR 1=1")).toBe(false);
});
