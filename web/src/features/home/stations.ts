/** Where one stands in the loop base → documents → data → run → variant → served, from what the studio really holds. */
import { linkOptions, type LinkProps } from '@tanstack/react-router';

import type { BaseEntry, Run, Variant } from '../../api/queries';
import { isBase, isOver } from '../../api/queries';
import type { Words } from '../../words';
import type { Format } from '../../words/format';
import type { Collection } from './queries';

export type StationName = keyof Words['home']['stations'];

export interface Station {
  name: StationName;
  /** What is there, and what can be done next, in words. */
  state: string;
  act: string;
  link: LinkProps;
  standing: 'reached' | 'now' | 'next' | 'open';
}

export interface Holdings {
  models: readonly BaseEntry[];
  runs: readonly Run[];
  collections: readonly Collection[];
  /** How many data sets have been brought. */
  sets: number;
  /** Documents are being taken in, or embedded anew. */
  ingesting: boolean;
  /** Whether any answer has been given and kept. */
  answered: boolean;
}

interface Found {
  name: StationName;
  reached: boolean;
  state: string;
  act: string;
  link: LinkProps;
}

export function stationsOf(holdings: Holdings, home: Words['home'], format: Format): Station[] {
  const found = [
    base(holdings, home, format),
    documents(holdings, home, format),
    data(holdings, home, format),
    run(holdings, home, format),
    variant(holdings, home, format),
    served(holdings, home),
  ];
  const now: Partial<Record<StationName, boolean>> = {
    documents: holdings.ingesting,
    run: holdings.runs.some((one) => !isOver(one.job.state)),
  };
  // Training needs no documents: they are the next step only once all others are taken.
  const open = found.filter(({ reached }) => !reached);
  const next = open.find(({ name }) => name !== 'documents') ?? open[0];
  return found.map(({ reached, ...station }) => ({
    ...station,
    standing: now[station.name] ? 'now' : reached ? 'reached' : station.name === next?.name ? 'next' : 'open',
  }));
}

function documents({ collections, ingesting }: Holdings, home: Words['home'], format: Format): Found {
  const link = linkOptions({ to: '/documents' });
  const count = collections.reduce((sum, one) => sum + one.documents - one.failed, 0);
  const reached = count > 0;
  if (ingesting)
    return { name: 'documents', reached, state: home.documentsBusy, act: home.documentsBusyAct, link };
  return reached
    ? {
        name: 'documents',
        reached,
        state: home.documentsSome(format.count(count)),
        act: home.documentsSomeAct,
        link,
      }
    : { name: 'documents', reached, state: home.documentsNone, act: home.documentsNoneAct, link };
}

function base({ models }: Holdings, home: Words['home'], format: Format): Found {
  const link = linkOptions({ to: '/models' });
  return models.length > 0
    ? {
        name: 'base',
        reached: true,
        state: home.baseSome(format.count(models.length)),
        act: home.baseSomeAct,
        link,
      }
    : { name: 'base', reached: false, state: home.baseNone, act: home.baseNoneAct, link };
}

function data({ sets, runs }: Holdings, home: Words['home'], format: Format): Found {
  const link = linkOptions({ to: '/data' });
  const newest = runs[0];
  if (sets === 0 && !newest) {
    return { name: 'data', reached: false, state: home.dataNone, act: home.dataNoneAct, link };
  }
  const state = [
    sets > 0 && home.dataSets(format.count(sets)),
    newest && home.dataSome(format.count(newest.samples)),
  ];
  return {
    name: 'data',
    reached: true,
    state: state.filter(Boolean).join(' · '),
    act: sets > 0 ? home.dataSetsAct : home.dataSomeAct,
    link,
  };
}

function run({ models, runs }: Holdings, home: Words['home'], format: Format): Found {
  const busy = runs.find((one) => !isOver(one.job.state));
  const done = runs.filter((one) => one.job.state === 'succeeded').length;
  if (busy) {
    const link = linkOptions({ to: '/runs/$runId', params: { runId: busy.job.id } });
    return { name: 'run', reached: done > 0, state: home.runBusy, act: home.runBusyAct, link };
  }
  if (done > 0) {
    const link = linkOptions({ to: '/runs' });
    return {
      name: 'run',
      reached: true,
      state: home.runSome(format.count(done)),
      act: home.runSomeAct,
      link,
    };
  }
  const link = linkOptions({ to: '/runs', ...(models.length > 0 ? { search: { start: '' } } : {}) });
  return { name: 'run', reached: false, state: home.runNone, act: home.runNoneAct, link };
}

function variant({ models }: Holdings, home: Words['home'], format: Format): Found {
  const { newest, count } = tuned(models);
  if (!newest) {
    const link = linkOptions({ to: '/models' });
    return { name: 'variant', reached: false, state: home.variantNone, act: home.variantNoneAct, link };
  }
  const link = linkOptions({ to: '/models/$name', params: { name: newest.name } });
  return {
    name: 'variant',
    reached: true,
    state: home.variantSome(format.count(count)),
    act: home.variantSomeAct,
    link,
  };
}

function served({ models, answered }: Holdings, home: Words['home']): Found {
  const { newest } = tuned(models);
  const name = newest?.name ?? models[0]?.base.name;
  if (answered) {
    const link = linkOptions({ to: '/chat' });
    return { name: 'served', reached: true, state: home.servedSome, act: home.servedSomeAct, link };
  }
  const link = linkOptions({ to: '/chat', ...(newest && name ? { search: { variant: name } } : {}) });
  const state = models.length > 0 && !newest ? home.servedBase : home.servedNone;
  return { name: 'served', reached: false, state, act: home.servedAct, link };
}

function tuned(models: readonly BaseEntry[]): { newest: Variant | undefined; count: number } {
  const all = models.flatMap(({ variants }) => variants).filter((one) => !isBase(one));
  const newest = [...all].sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  return { newest, count: all.length };
}
