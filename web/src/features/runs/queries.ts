/** How runs are started, and what is read of them beside the run itself. */
import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, body } from '../../api/client';
import { hasStatus } from '../../api/problem';
import { modelsQuery, type BaseEntry, type Run } from '../../api/queries';
import type { components } from '../../client/schema';
import { freeName, type Draft } from './recipe';
import { seedsOf, type Sweep } from './sweep';

export type DataSet = components['schemas']['DataSet'];
type Boards = components['schemas']['NewSweep']['boards'];

const OLDER = 100;

export const dataQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'data'],
    queryFn: async () =>
      body(await api.GET('/api/training/runs/{run_id}/data', { params: { path: { run_id: id } } })).data,
    staleTime: Infinity,
    // Megabytes, perhaps: not kept for longer than they are looked at.
    gcTime: 0,
  });

const readSet = async (id: string): Promise<DataSet> =>
  body(await api.GET('/api/data/{data_id}', { params: { path: { data_id: id } } }));

export const dataSetQuery = (id: string) =>
  queryOptions({ queryKey: ['data', id], queryFn: () => readSet(id) });

/** The sets that can be learned from, the newest first. */
export const dataSetsQuery = queryOptions({
  queryKey: ['data', 'choice'],
  queryFn: async () => {
    const sets = body(await api.GET('/api/data', { params: { query: { limit: 500 } } }));
    return sets.filter(({ recognized }) => recognized.format);
  },
});

/** A run to start another from: its sets where they lie here as they were, else its rows as they were kept. */
export const earlierQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'earlier'],
    queryFn: async () => {
      const path = { run_id: id };
      const run = body(await api.GET('/api/training/runs/{run_id}', { params: { path } }));
      const [set, heldOut] = [await stillThere(run.data_set), await stillThere(run.held_out)];
      const data = set
        ? null
        : body(await api.GET('/api/training/runs/{run_id}/data', { params: { path } })).data;
      return { run, data, set, heldOut };
    },
    gcTime: 0,
  });

async function stillThere(used: Run['data_set']): Promise<DataSet | null> {
  if (!used) return null;
  try {
    const set = await readSet(used.id);
    return set.sha256 === used.sha256 ? set : null;
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

/** Runs older than the ones that the list begins with. */
export const olderRunsQuery = (last: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['runs', 'older', last],
    queryFn: async ({ pageParam: before }) =>
      body(await api.GET('/api/training/runs', { params: { query: { limit: OLDER, before } } })),
    initialPageParam: last ?? '',
    getNextPageParam: (page) => (page.length === OLDER ? page.at(-1)?.job.id : undefined),
    enabled: false,
  });

interface Asked {
  recipe: Draft & { base: string; name: string };
  /** Rows as text; null where the recipe names a data set. */
  data: string | null;
  /** Train even where the forecast says that the memory is not enough. */
  force: boolean;
}

// The generated type asks for fields that have defaults; the studio does not.
const sent = ({ recipe, data, force }: Asked) => ({
  recipe: recipe as Run['recipe'],
  force,
  ...(data === null ? {} : { data }),
});

export async function startRun(asked: Asked): Promise<Run> {
  return body(await api.POST('/api/training/runs', { body: sent(asked) }));
}

/** One run for each seed on each board. The same `id` with the same request starts only what is missing. */
export async function startSweep(id: string, asked: Asked, sweep: Sweep): Promise<Run[]> {
  const over = {
    seeds: seedsOf(sweep.seeds) ?? [],
    boards: Object.fromEntries(sweep.boards.map(({ name, rows }) => [name.trim(), rows])) as Boards,
  };
  return body(await api.POST('/api/training/sweeps', { body: { id, ...sent(asked), ...over } }));
}

export const sweepQuery = (id: string) =>
  queryOptions({
    queryKey: ['runs', 'sweep', id],
    queryFn: async () =>
      body(await api.GET('/api/training/sweeps/{sweep_id}', { params: { path: { sweep_id: id } } })),
  });

/** Cancel whatever of it waits or works. */
export function useCancelSweep(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      body(await api.POST('/api/training/sweeps/{sweep_id}/cancel', { params: { path: { sweep_id: id } } })),
    onSuccess: async (runs) => {
      client.setQueryData(sweepQuery(id).queryKey, runs);
      await client.invalidateQueries({ queryKey: ['runs'] });
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
}

export function keepRun(client: QueryClient, run: Run): void {
  client.setQueryData(['run', run.job.id], run);
  void client.invalidateQueries({ queryKey: ['runs'] });
  void client.invalidateQueries({ queryKey: ['jobs'] });
}

/** Names that no further variant and adapter can have. */
export function takenBy(models: readonly BaseEntry[]): ReadonlySet<string> {
  return new Set(
    models.flatMap(({ variants, adapters }) => [...variants, ...adapters].map(({ name }) => name)),
  );
}

/** Stop a run so that it can go on later, or go on with it: it stays the same run. */
export function usePausing(id: string, verb: 'pause' | 'resume') {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const params = { params: { path: { run_id: id } } };
      return body(
        verb === 'pause'
          ? await api.POST('/api/training/runs/{run_id}/pause', params)
          : await api.POST('/api/training/runs/{run_id}/resume', params),
      );
    },
    onSuccess: (run) => {
      keepRun(client, run);
      client.setQueryData(['job', id], run.job);
    },
  });
}

/** Give up what a run could go on from. */
export function useDiscarding(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      body(await api.DELETE('/api/training/runs/{run_id}/checkpoints', { params: { path: { run_id: id } } })),
    onSuccess: (run) => keepRun(client, run),
  });
}

/** Start a run once more with the same recipe on the same data, under its name or the next free one; by force
 * where it is asked for in spite of the forecast. */
export function useAgain(run: Run) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (force: boolean) => {
      const { data, set } = await client.fetchQuery(earlierQuery(run.job.id));
      const models = await client.fetchQuery(modelsQuery);
      // It may have been renamed since.
      const base = models.find((entry) => entry.base.id === run.base_id)?.base.name ?? run.recipe.base;
      const name = freeName(run.recipe.name, takenBy(models));
      return startRun({ recipe: { ...run.recipe, base, name, data_id: set?.id ?? null }, data, force });
    },
    onSuccess: async (started) => {
      keepRun(client, started);
      await navigate({ to: '/runs/$runId', params: { runId: started.job.id } });
    },
  });
}
