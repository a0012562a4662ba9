import { describe, expect, it } from 'vitest';

import { loraOf, modulesIn, rmsOf, weightOf, type Place } from './places';
import type { Module, ModelMap, Norms } from './queries';

const module = (name: string, more: Partial<Module> = {}): Module => ({
  name,
  stack: 'layers',
  layers: [0, 1, 2, 3],
  count: 1,
  role: 'linear',
  column: 'attn.qk',
  shape: [8, 16],
  dtype: 'F32',
  parameters: 128,
  largest_rank: 8,
  ...more,
});

const map = {
  modules: [
    module('q'),
    module('k', { layers: [0, 1], dtype: 'Q4_K' }),
    module('up', { column: 'mlp.in', count: 4 }),
    module('norm', { column: null, role: 'norm', largest_rank: null, shape: [16] }),
  ],
} as unknown as ModelMap;

const at = (first: number, last: number, column = 'attn.qk'): Place => ({
  stack: 'layers',
  first,
  last,
  column,
});

describe('the map', () => {
  it('finds the modules of a cell, in the layers that have them', () => {
    expect(modulesIn(map, at(1, 2)).map(({ module: { name }, layers }) => [name, layers])).toEqual([
      ['q', [1, 2]],
      ['k', [1]],
    ]);
    expect(modulesIn(map, at(3, 3)).map(({ module: { name } }) => name)).toEqual(['q']);
  });

  it('weighs a cell, experts included', () => {
    expect(weightOf(map, at(0, 1))).toBe(4 * 128);
    expect(weightOf(map, at(0, 0, 'mlp.in'))).toBe(4 * 128);
    expect(weightOf(map, at(0, 0, 'mlp.out'))).toBe(0);
  });

  it('counts what a low-rank change has', () => {
    expect(loraOf(module('q'), 4)).toBe(4 * 24);
    expect(loraOf(module('norm', { largest_rank: null, shape: [16] }), 4)).toBeNull();
  });

  it('takes the root mean square of several layers by their weights', () => {
    const norms = {
      modules: [],
      cells: [
        // 4 weights of 1, and 12 of 3.
        { stack: 'layers', layer: 0, column: 'attn.qk', frobenius: 2, rms: 1 },
        { stack: 'layers', layer: 1, column: 'attn.qk', frobenius: Math.sqrt(108), rms: 3 },
      ],
    } as Norms;
    expect(rmsOf(norms, at(0, 1))).toBeCloseTo(Math.sqrt(112 / 16));
    expect(rmsOf(norms, at(2, 3))).toBeNull();
  });
});
