/** How runs are started, and what is read of them beside the run itself. */
import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, body, send } from '../../api/client';
import { modelsQuery, type BaseEntry, type Run } from '../../api/queries';
import { freeName, type Draft } from './recipe';
import { LARGEST_FILE } from './samples';

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

/** A data set as the form takes it: its name, and its rows as text. */
export const dataSetRowsQuery = (id: string) =>
  queryOptions({
    queryKey: ['data', id, 'rows'],
    queryFn: async () => {
      const set = body(await api.GET('/api/data/{data_id}', { params: { path: { data_id: id } } }));
      // A request holds no more; what is not read need not be sent here.
      if (set.size > LARGEST_FILE) return { name: set.name, text: null };
      return { name: set.name, text: await (await send(`/api/data/${id}/file`)).text() };
    },
    staleTime: Infinity,
    gcTime: 0,
  });

/** The scores of one variant, the newest first. */
export const scoresQuery = (variant: string) =>
  queryOptions({
    queryKey: ['jobs', 'score', variant],
    queryFn: async () => {
      const jobs = body(await api.GET('/api/jobs', { params: { query: { kind: 'score', limit: 200 } } }));
      return jobs.filter((job) => job.args['variant'] === variant);
    },
  });

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

export async function startRun(
  recipe: Draft & { base: string; name: string; data_id?: null },
  data: string,
): Promise<Run> {
  // The generated type asks for fields that have defaults; the studio does not.
  const asked = { recipe: recipe as Run['recipe'], data, force: false };
  return body(await api.POST('/api/training/runs', { body: asked }));
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

/** Start a run once more with the same recipe on the same data, under its name or the next free one. */
export function useAgain(run: Run) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async () => {
      const data = await client.fetchQuery(dataQuery(run.job.id));
      const models = await client.fetchQuery(modelsQuery);
      // It may have been renamed since.
      const base = models.find((entry) => entry.base.id === run.base_id)?.base.name ?? run.recipe.base;
      const name = freeName(run.recipe.name, takenBy(models));
      // Its rows are all there: they were kept as they were, whatever became of the data set since.
      return startRun({ ...run.recipe, base, name, data_id: null }, data);
    },
    onSuccess: async (started) => {
      keepRun(client, started);
      await navigate({ to: '/runs/$runId', params: { runId: started.job.id } });
    },
  });
}
