import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import {
  connect,
  connection,
  disconnect,
  hasStudio,
  originOf,
  parseConfig,
  readConfig,
  replaceKey,
} from './connection';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(async () => {
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue(Response.json({ api: '' })));
  await readConfig();
  vi.unstubAllGlobals();
});

async function configured(answer: Response | Error) {
  vi.stubGlobal(
    'fetch',
    answer instanceof Error ? vi.fn().mockRejectedValue(answer) : vi.fn().mockResolvedValue(answer),
  );
  await readConfig();
}

it('takes the address of config.json, and no other one where it may not be changed', async () => {
  localStorage.setItem('twotrack.address', 'https://elsewhere.example');
  await configured(Response.json({ api: 'https://studio.example/' }));
  expect(connection().address).toBe('https://studio.example');
  connect({ address: 'https://elsewhere.example', key: 'k' }, false);
  expect(connection()).toEqual({ address: 'https://studio.example', key: 'k' });
});

it('takes the address that its user has entered where that is possible', async () => {
  await configured(Response.json({ api: '', changeable: true }));
  expect(hasStudio()).toBe(false);
  connect({ address: 'https://studio.example', key: '' }, false);
  expect(connection().address).toBe('https://studio.example');
  expect(hasStudio()).toBe(true);
});

it.each([
  ['a host that answers with index.html', new Response('<!doctype html>')],
  ['a host without the file', new Response('', { status: 404 })],
  ['no host', new TypeError('Failed to fetch')],
])('belongs to whoever served it: %s', async (_, answer) => {
  await configured(answer);
  expect(connection().address).toBe('');
  expect(hasStudio()).toBe(true);
});

it.each([null, [], 'x', { api: 7 }, { api: 'javascript:alert(1)' }, { api: 'https://a.example/path' }])(
  'reads no address out of %j',
  (value) => expect(parseConfig(value)).toEqual({ api: '', changeable: false }),
);

it.each([
  ['https://a.example', 'https://a.example'],
  ['http://127.0.0.1:8321/', 'http://127.0.0.1:8321'],
  ['a.example', null],
  ['ftp://a.example', null],
  ['https://a.example/studio', null],
  ['https://key@a.example', null],
])('%s is the origin %s', (text, origin) => expect(originOf(text)).toBe(origin));

it('keeps a key for the tab, or for the device, and forgets it wholly', () => {
  connect({ address: '', key: 'tab' }, false);
  expect(localStorage.getItem('twotrack.key')).toBeNull();
  connect({ address: '', key: 'device' }, true);
  expect([sessionStorage.getItem('twotrack.key'), localStorage.getItem('twotrack.key')]).toEqual([
    null,
    'device',
  ]);
  replaceKey('renewed');
  expect(localStorage.getItem('twotrack.key')).toBe('renewed');
  disconnect();
  expect(connection().key).toBe('');
});
