/** What several views read from the studio, each under one key. */
import { queryOptions } from '@tanstack/react-query';

import type { components } from '../client/schema';
import { api, body } from './client';

type Schemas = components['schemas'];
export type Adapter = Schemas['Adapter'];
export type Base = Schemas['Base'];
export type BaseEntry = Schemas['BaseEntry'];
export type Job = Schemas['Job'];
export type JobState = Job['state'];
export type Run = Schemas['Run'];
export type Variant = Schemas['Variant'];

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async () => body(await api.GET('/api/models')).models,
});

/** One variant with its base, the adapters that it uses, and the boards that it has. */
export const detailsQuery = (name: string) =>
  queryOptions({
    queryKey: ['models', name],
    queryFn: async () => body(await api.GET('/api/models/{name}', { params: { path: { name } } })),
  });

export const runsQuery = queryOptions({
  queryKey: ['runs'],
  queryFn: async () => body(await api.GET('/api/training/runs', { params: { query: { limit: 100 } } })),
});

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: async () =>
      body(await api.GET('/api/training/runs/{run_id}', { params: { path: { run_id: id } } })),
  });

/** The newest jobs of all kinds. Asked for again and again: other tabs and the command line start some too. */
export const jobsQuery = queryOptions({
  queryKey: ['jobs'],
  queryFn: async () => body(await api.GET('/api/jobs', { params: { query: { limit: 50 } } })),
  refetchInterval: 5_000,
});

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: async () => readHealth(body(await api.GET('/api/health'))),
  refetchInterval: 15_000,
});

function readHealth(answer: unknown): { version: string } {
  const { version } = (answer ?? {}) as { version?: unknown };
  return { version: typeof version === 'string' ? version : '' };
}

/** Without adapters and with its base's own board left alone it is the base itself. */
export function isBase({ adapters, base_board: board }: Pick<Variant, 'adapters' | 'base_board'>): boolean {
  return adapters.length === 0 && !board;
}

export function isOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running';
}

/** Bytes that a base's or an adapter's own files take. */
export function sizeOf(model: Base | Adapter): number {
  return model.files.reduce((sum, file) => sum + file.size, 0);
}
