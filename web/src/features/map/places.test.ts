import { describe, expect, it } from 'vitest';

import { loraOf, modulesIn, rmsOf, sensitivityIn, sensitivityOf, weightOf, type Place } from './places';
import type { Module, ModelMap, Norms, Sensed } from './queries';

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

  it('finds how sensitive a band, a layer and the modules in them are', () => {
    const stacks = [
      {
        name: 'layers',
        bands: [
          { first: 0, last: 1 },
          { first: 2, last: 3 },
        ],
      },
    ];
    const sensed = {
      cells: [{ band: 1, column: 'attn.qk', relative: 2, relative_error: 0.1 }],
      layers: [{ layer: 2, column: 'attn.qk', relative: 3, relative_error: null }],
      modules: [
        { name: 'h.2.q', layer: 2, column: 'attn.qk', relative: 4 },
        { name: 'h.3.q', layer: 3, column: 'attn.qk', relative: 2 },
        { name: 'h.3.k', layer: 3, column: 'attn.qk', relative: 1 },
        { name: 'h.1.q', layer: 1, column: 'attn.qk', relative: 9 },
        { name: 'h.3.up', layer: 3, column: 'mlp.in', relative: 9 },
      ],
    } as unknown as Sensed;
    const of = { ...map, stacks } as unknown as ModelMap;
    expect(sensitivityOf(of, sensed, at(2, 3))).toMatchObject({ relative: 2, relative_error: 0.1 });
    expect(sensitivityOf(of, sensed, at(2, 2))).toMatchObject({ relative: 3, relative_error: null });
    expect(sensitivityOf(of, sensed, at(0, 1))).toBeNull();
    expect(sensitivityIn(sensed, at(2, 3))).toEqual([
      { name: 'q', relative: 3 },
      { name: 'k', relative: 1 },
    ]);
  });
});
