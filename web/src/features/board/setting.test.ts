import { expect, test } from 'vitest';

import type { Details } from '../models/queries';
import { uniform, withCell, type Layout } from './board';
import { everywhere, gainsOf, layoutsOf, settingOf } from './setting';

const bands = [
  { first: 0, last: 2 },
  { first: 3, last: 4 },
];
const ADAPTERS: Layout = { columns: ['attn.qk', 'mlp.in'], bands, layers: 5 };
const OWN: Layout = { columns: ['attn', 'mlp'], bands, layers: 5 };
const LAYOUTS = { adapters: ADAPTERS, base: OWN };

const details = (adapters: { gain: number }[], base_board: object | null = null) =>
  ({ variant: { adapters, base_board }, board: ADAPTERS, own_board: OWN }) as unknown as Details;

test('a base has its own board alone, and a variant with adapters both', () => {
  expect(layoutsOf(details([]))).toEqual({ adapters: null, base: OWN });
  expect(layoutsOf(details([{ gain: 1 }]))).toEqual(LAYOUTS);
});

test('a setting begins with what the variant has', () => {
  const kept = withCell(uniform(OWN, 1), 0, 1, 0.5);
  expect(settingOf(details([{ gain: 0.5 }], kept), LAYOUTS)).toEqual({
    adapters: uniform(ADAPTERS, 0.5),
    base: kept,
  });
  expect(settingOf(details([]), { adapters: null, base: OWN })).toEqual({
    adapters: null,
    base: uniform(OWN, 1),
  });
});

test('the own board is named in a request where it does something', () => {
  const setting = everywhere(0.5, LAYOUTS);
  expect(gainsOf(setting, false)).toBe(0.5);
  // A variant that has one would otherwise keep it.
  expect(gainsOf(setting, true)).toEqual({ adapters: 0.5, base: 1 });
  const turned = withCell(uniform(OWN, 1), 1, 0, 0);
  expect(gainsOf({ ...setting, base: turned }, false)).toEqual({ adapters: 0.5, base: turned });
  expect(gainsOf({ adapters: null, base: turned }, false)).toEqual({ base: turned });
});

test('what is held against an answer is the base as it is', () => {
  expect(gainsOf(everywhere(0, LAYOUTS), true)).toEqual({ adapters: 0, base: 1 });
  expect(gainsOf(everywhere(0, { adapters: null, base: OWN }), false)).toEqual({ base: 1 });
});
