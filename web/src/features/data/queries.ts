/** What the data views read from the studio. Everything about one set lies below its key. */
import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

import { api, body } from '../../api/client';
import { isOver, type Job } from '../../api/queries';
import type { components } from '../../client/schema';

type Schemas = components['schemas'];
export type DataSet = Schemas['DataSet'];
export type DataSetEntry = Schemas['DataSetEntry'];
export type Report = Schemas['Report'];
export type Finding = Schemas['Finding'];
export type Made = Schemas['DataSetMade'];
export type SeenRow = Schemas['SeenRow'];
export type Asked = Schemas['NewShape'];
export type NewMix = Schemas['NewMix'];
export type Action = 'check' | 'shape' | 'split' | 'mix';

/** Bytes of one set, as the studio has it (service.LARGEST). */
export const LARGEST = 2 * 2 ** 30;

const PAGE = 100;
const LIVE_MILLISECONDS = 2_000;
const QUIET_MILLISECONDS = 10_000;

export const dataSetsQuery = infiniteQueryOptions({
  queryKey: ['data'],
  queryFn: async ({ pageParam: before }) =>
    body(await api.GET('/api/data', { params: { query: { limit: PAGE, before } } })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)?.id : undefined),
});

export const dataSetQuery = (id: string) =>
  queryOptions({
    queryKey: ['data', id],
    queryFn: async () => body(await api.GET('/api/data/{data_id}', { params: { path: { data_id: id } } })),
  });

/** The newest first. Asked for again and again: other tabs start some too. */
export const dataJobsQuery = queryOptions({
  queryKey: ['jobs', 'data'],
  queryFn: async () => body(await api.GET('/api/jobs', { params: { query: { kind: 'data', limit: 200 } } })),
  refetchInterval: ({ state }) =>
    state.data?.some((job) => !isOver(job.state)) ? LIVE_MILLISECONDS : QUIET_MILLISECONDS,
});

/** The newest job that does this with the set. */
export function useLatest(id: string, action: Action): Job | undefined {
  const { data = [] } = useQuery(dataJobsQuery);
  return data.find((job) => isAbout(job, id, action));
}

/** A job's set is the first that it names; a second one is held out. */
export function isAbout(job: Pick<Job, 'args'>, id: string, action: Action): boolean {
  const { action: does, data_ids: ids } = job.args as { action?: string; data_ids?: string[] };
  return does === action && ids?.[0] === id;
}

/** The sets that a job has made, in their order. */
export function madeBy(job: Pick<Job, 'result'>): string[] {
  return (job.result as unknown as Schemas['DataResult'] | null)?.made ?? [];
}

export async function startCheck(id: string, asked: Schemas['NewCheck'] = {}): Promise<Job> {
  return body(
    await api.POST('/api/data/{data_id}/check', { params: { path: { data_id: id } }, body: asked }),
  );
}

export async function startShape(id: string, asked: Asked): Promise<Job> {
  return body(
    await api.POST('/api/data/{data_id}/shape', { params: { path: { data_id: id } }, body: asked }),
  );
}

export async function startSplit(id: string, asked: Schemas['NewSplit']): Promise<Job> {
  return body(
    await api.POST('/api/data/{data_id}/split', { params: { path: { data_id: id } }, body: asked }),
  );
}

export async function startMix(asked: NewMix): Promise<Job> {
  return body(await api.POST('/api/data/mixes', { body: asked }));
}

/** Starts a job and shows it at once. */
export function useStart<T>(start: (asked: T) => Promise<Job>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: start,
    onSuccess: async (job) => {
      client.setQueryData(dataJobsQuery.queryKey, (jobs: Job[] | undefined) => [job, ...(jobs ?? [])]);
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
}
