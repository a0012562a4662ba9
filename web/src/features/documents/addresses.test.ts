import { expect, it } from 'vitest';

import { addressesIn, badAddress, isAbsolute } from './addresses';
import { nameFault } from './names';

it('reads addresses as they are pasted', () => {
  expect(addressesIn(' https://a.example/1\n\nhttps://b.example  https://a.example/1 ')).toEqual([
    'https://a.example/1',
    'https://b.example',
  ]);
});

it.each(['a.example', 'ftp://a.example', 'https://', 'javascript:alert(1)', 'https:a.example'])(
  '%s is no address of the web',
  (text) => expect(badAddress(['https://a.example', text])).toBe(text),
);

it.each([
  ['/srv/documents', true],
  ['C:\\documents', true],
  ['\\\\server\\share', true],
  ['documents', false],
])('%s is absolute: %s', (path, is) => expect(isAbsolute(path)).toBe(is));

it.each([
  ['rules', null],
  ['규정 2026', null],
  ['a/b', 'slash'],
  ['a\\b', 'slash'],
  ['..', 'dots'],
  ['x'.repeat(101), 'long'],
  [' taken ', 'taken'],
])('the name %s: %s', (name, fault) => expect(nameFault(name, new Set(['taken']))).toBe(fault));
