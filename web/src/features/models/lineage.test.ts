import { expect, test } from 'vitest';

import type { BaseEntry } from '../../api/queries';
import { filtered, goesAlong, lineage, quantizationOf, sharedWith } from './lineage';

const at = '2026-01-01T00:00:00Z';
const variant = (name: string, ...adapters: [string, number][]) => ({
  id: `v-${name}`,
  name,
  base_id: 'b',
  adapters: adapters.map(([adapter_id, gain]) => ({ adapter_id, gain })),
  created_at: at,
});
const adapter = (id: string) => ({
  id,
  name: id,
  base_id: 'b',
  rank: 8,
  alpha: 16,
  target_modules: [],
  template_hash: '',
  data_fingerprint: '',
  recipe: {},
  files: [],
  job_id: null,
  created_at: at,
});
const zero = variant('small');
const one = variant('one', ['a1', 1]);
const both = variant('both', ['a1', 1], ['a2', 0.5]);
const entry: BaseEntry = {
  base: {
    id: 'b',
    name: 'small',
    source: 'starter',
    family: 'llama',
    architecture: 'LlamaForCausalLM',
    format: 'gguf',
    license: null,
    parameters: null,
    context_length: 8,
    files: [],
    details: { dtypes: { F32: 10, Q4_1: 5_000, Q8_0: 200 } },
    created_at: at,
  },
  variants: [zero, one, both],
  adapters: [adapter('a1'), adapter('a2')],
};

test('a variant stands under its adapter, one of several under the base', () => {
  const [foundation] = lineage([entry]);
  expect(foundation?.family).toBe('llama');
  const [base] = foundation?.bases ?? [];
  expect(base?.name).toBe('small');
  expect(base?.adapters.map(({ adapter: { name }, variants }) => [name, variants])).toEqual([
    ['a1', [one]],
    ['a2', []],
  ]);
  expect(base?.mixed).toEqual([both]);
});

test('a base takes everything that stands on it', () => {
  expect(goesAlong(zero, entry)).toEqual({ variants: ['one', 'both'], adapters: ['a1', 'a2'] });
});

test('a variant takes the adapters that only it uses', () => {
  expect(goesAlong(both, entry)).toEqual({ variants: [], adapters: ['a2'] });
  expect(goesAlong(one, entry)).toEqual({ variants: [], adapters: [] });
});

test('the quantization is the type of most weights', () => {
  expect(quantizationOf(entry.base)).toBe('Q4_1');
  expect(quantizationOf({ ...entry.base, details: {} })).toBeNull();
});

test.each([
  ['SMALL', ['small', 'one', 'both'], ['a1', 'a2']],
  ['both', ['small', 'both'], ['a1', 'a2']],
  ['one', ['small', 'one'], ['a1']],
])('looking for %s keeps what it stands on', (text, variants, adapters) => {
  const [found] = filtered([entry], text);
  expect(found?.variants.map(({ name }) => name)).toEqual(variants);
  expect(found?.adapters.map(({ name }) => name)).toEqual(adapters);
});

test('what nobody is called is not found', () => {
  expect(filtered([entry], 'midm')).toEqual([]);
});

test('an adapter that another variant stands on is named with it', () => {
  expect(sharedWith(one, entry)).toEqual([{ adapter: 'a1', users: ['both'] }]);
  expect(sharedWith(both, entry)).toEqual([{ adapter: 'a1', users: ['one'] }]);
  expect(sharedWith(zero, entry)).toEqual([]);
});
