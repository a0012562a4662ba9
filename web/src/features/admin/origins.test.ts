import { expect, it } from 'vitest';

import { changed, isPlain, readOrigin } from './origins';

it.each([
  ['https://studio.example.org', 'https://studio.example.org'],
  ['  HTTPS://Studio.Example.org:443/ ', 'https://studio.example.org'],
  ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
  ['https://한국.example', 'https://xn--3e0b707e.example'],
])('%s is sent by a browser as %s', (text, origin) => {
  expect(readOrigin(text, [])).toEqual({ origin });
});

it.each([
  ['', 'empty'],
  ['*', 'wildcard'],
  ['https://*.example.org', 'wildcard'],
  ['studio.example.org', 'scheme'],
  ['ftp://studio.example.org', 'scheme'],
  ['null', 'scheme'],
  ['https://', 'broken'],
  ['https://key@studio.example.org', 'broken'],
  ['https://a.example', 'listed'],
])('%j is refused: %s', (text, fault) => {
  expect(readOrigin(text, ['https://a.example'])).toEqual({ fault });
});

it('says which origin an address with a path belongs to', () => {
  expect(readOrigin('https://b.example/twotrack/?x#y', [])).toEqual({ fault: { path: 'https://b.example' } });
});

it('warns where a key can be read on the way, but not of this machine', () => {
  expect(
    ['http://b.example', 'https://b.example', 'http://localhost:1', 'http://[::1]:1'].map(isPlain),
  ).toEqual([true, false, false, false]);
});

it('adds to and removes from whatever is listed by then', () => {
  expect(changed(['a', 'theirs'], { add: 'mine' })).toEqual(['a', 'theirs', 'mine']);
  expect(changed(['a', 'theirs'], { remove: 'a' })).toEqual(['theirs']);
  expect(changed(['a'], { add: 'a' })).toEqual(['a']);
});
