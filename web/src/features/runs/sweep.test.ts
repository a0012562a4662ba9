import { describe, expect, it } from 'vitest';

import type { Run } from '../../api/queries';
import type { Layout } from '../board/board';
import {
  heaviest,
  measureOf,
  named,
  namesOf,
  newId,
  seedsOf,
  settingsOf,
  startOf,
  startsFor,
  sweepFault,
  titleOf,
  verdictOf,
} from './sweep';

const layout = {
  bands: [0, 1, 2, 3].map((first) => ({ first, last: first })),
  columns: ['attn.qk', 'mlp.in'],
  layers: 4,
} as unknown as Layout;

const run = (setting: string | null, seed: number, loss: number | null, heldOut: number | null = null) =>
  ({
    job: { state: loss === null ? 'running' : 'succeeded', result: loss === null ? null : { loss } },
    recipe: { name: ['facts', setting, seed].filter((part) => part !== null).join('-'), seed },
    setting,
    held_out: heldOut === null ? null : {},
    held_out_history: heldOut === null ? [] : [{ step: 1, loss: heldOut }],
  }) as unknown as Run;

const verdict = (...runs: Run[]) => verdictOf(settingsOf(runs, measureOf(runs)));

describe('asking for a sweep', () => {
  it('reads seeds with commas or spaces between, each once', () => {
    expect(seedsOf(' 0, 1 7,')).toEqual([0, 1, 7]);
    expect(seedsOf('')).toEqual([]);
    for (const wrong of ['1, 1', '-1', '1.5', 'one', '1e3']) expect(seedsOf(wrong)).toBeNull();
  });

  it('names the runs as the studio does', () => {
    const boards = [named('upper', []), named('mlp', [])];
    expect(namesOf('facts', { seeds: '0, 7', boards: [] })).toEqual(['facts-0', 'facts-7']);
    expect(namesOf('facts', { seeds: '', boards })).toEqual(['facts-upper', 'facts-mlp']);
    expect(namesOf('facts', { seeds: '0', boards })).toEqual(['facts-upper-0', 'facts-mlp-0']);
  });

  it('begins boards as halves of the depth or as kinds of modules, where the grid has both', () => {
    const rows = startOf('upper', layout);
    expect(rows.map(([cell]) => cell?.train ?? true)).toEqual([false, false, true, true]);
    expect(startOf('mlp', layout)[0]).toEqual([{ train: false }, {}]);
    expect(startsFor({ ...layout, columns: ['attn.qk'] })).toEqual(['all', 'upper', 'lower']);
    const boards = [named('u', rows), named('all', startOf('all', layout))];
    expect(heaviest(boards)?.name).toBe('all');
  });

  it.each([
    ['1, 1', ['a'], 'seeds'],
    ['-', [], 'seeds'],
    ['', [], 'nothing'],
    ['0', ['../x'], 'boards'],
    ['0', ['a', 'a '], 'twice'],
    [Array.from({ length: 33 }, (_, seed) => seed).join(), [], 'many'],
    ['0, 1', [], 'names'],
    ['2, 3', ['a'], null],
  ])('says what is wrong with seeds %s on boards %s', (seeds, names, fault) => {
    const boards = names.map((name) => named(name, startOf('all', layout)));
    expect(sweepFault({ seeds, boards }, 'facts', new Set(['facts-1']), undefined)).toBe(fault);
  });

  it('makes ids that the studio takes', () => {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('what came of a sweep', () => {
  it('puts the lowest mean first, and what has no result last', () => {
    const settings = settingsOf(
      [run('slow', 0, null), run('high', 0, 0.9), run('low', 0, 0.2), run('low', 1, 0.4)],
      'loss',
    );
    expect(settings.map(({ name, mean }) => [name, mean && Number(mean.toFixed(3))])).toEqual([
      ['low', 0.3],
      ['high', 0.9],
      ['slow', null],
    ]);
  });

  it('goes by the held-out loss where every run has a held-out set', () => {
    const best = verdict(run('a', 0, 0.1, 2), run('b', 0, 0.9, 1));
    expect(best).toMatchObject({ kind: 'single', best: { name: 'b', mean: 1 } });
    expect(measureOf([run('a', 0, 0.1, 2), run('b', 0, 0.9)])).toBe('loss');
  });

  it('tells settings that lie apart from settings that overlap', () => {
    expect(verdict(run('a', 0, 1), run('a', 1, 2), run('b', 0, 3), run('b', 1, 4))).toMatchObject({
      kind: 'apart',
      won: 2,
      pairs: 2,
    });
    expect(verdict(run('a', 0, 1), run('a', 1, 3.5), run('b', 0, 3), run('b', 1, 3))).toMatchObject({
      kind: 'overlap',
      won: 1,
      pairs: 2,
    });
    expect(verdict(run('a', 0, null), run('b', 0, null)).kind).toBe('nothing');
    expect(verdict(run(null, 0, 1), run(null, 1, 2))).toMatchObject({ kind: 'seeds', only: { mean: 1.5 } });
  });

  it('is called what the names of its runs begin with', () => {
    expect(titleOf(run('upper', 0, 1))).toBe('facts');
    expect(titleOf(run(null, 7, 1))).toBe('facts');
    const boardsAlone = run('upper-0', 0, 1);
    boardsAlone.recipe.name = 'facts-upper-0';
    expect(titleOf(boardsAlone)).toBe('facts');
  });
});
