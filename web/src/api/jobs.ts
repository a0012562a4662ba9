/** Follow a job to its end, through reloads of the page and restarts of the studio. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { useSpeech } from '../words';
import { api, body } from './client';
import { streamEvents } from './events';
import { ProblemError, type Problem } from './problem';
import { isOver, type Job } from './queries';

const RECONNECT_MILLISECONDS = 2_000;

const jobKey = (id: string | undefined) => ['job', id];

/** The job as it is at this moment, undefined until the studio has told; `at` is when it told, in milliseconds. */
export function useJob(id: string | undefined): { job: Job | undefined; error: unknown; at: number } {
  const { language } = useSpeech();
  const client = useQueryClient();
  const {
    data: job,
    error,
    dataUpdatedAt: at,
  } = useQuery({
    queryKey: jobKey(id),
    queryFn: async () =>
      body(await api.GET('/api/jobs/{job_id}', { params: { path: { job_id: id ?? '' } } })),
    enabled: id !== undefined,
  });
  const live = job !== undefined && !isOver(job.state);
  useEffect(() => {
    if (!live || id === undefined) return;
    const stop = new AbortController();
    void follow(id, language, client, stop.signal);
    return () => stop.abort();
  }, [live, id, language, client]);
  return { job, error, at };
}

async function follow(id: string, language: string, client: QueryClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { event, data } of streamEvents(`/api/jobs/${id}/events`, { signal, language })) {
        if (event !== 'job') continue;
        const job = data as Job;
        client.setQueryData(jobKey(id), job);
        if (isOver(job.state)) {
          refreshAfterJob(client, id);
          return;
        }
      }
    } catch (error) {
      if (error instanceof ProblemError && error.problem.status === 404) return;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MILLISECONDS));
  }
}

/** What a job's end may have changed. */
function refreshAfterJob(client: QueryClient, id: string): void {
  for (const queryKey of [
    ['models'],
    ['runs'],
    ['jobs'],
    ['run', id],
    ['collections'],
    ['ingest'],
    ['data'],
    ['exports'],
  ]) {
    void client.invalidateQueries({ queryKey });
  }
}

export function useCancelJob(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      body(await api.POST('/api/jobs/{job_id}/cancel', { params: { path: { job_id: id } } })),
    onSuccess: (job) => {
      client.setQueryData(jobKey(id), job);
      refreshAfterJob(client, id);
    },
  });
}

/** The problem that a failed job ended with. */
export function jobError(job: Job): ProblemError | null {
  if (!job.error) return null;
  const told = job.error as Partial<Problem>;
  // Never without a type: a failed download's 502 is no studio that does not answer.
  return new ProblemError({
    type: 'job',
    ...told,
    status: told.status ?? 500,
    detail: told.detail ?? job.kind,
  });
}
