/** Which fetches the models view shows, and how one is started. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import { isOver, type Job } from '../../api/queries';
import type { Pull } from './sources';

const REMEMBERED_MILLISECONDS = 3_600_000;

interface Shown {
  /** Ids of the fetches that were started in this view, or seen to go on in it. */
  started: ReadonlySet<string>;
  dismissed: ReadonlySet<string>;
  /** Milliseconds. */
  now: number;
}

/** Of each source the newest fetch: as long as it goes on, was started here, or has failed within the hour. */
export function shownPulls(jobs: readonly Job[], { started, dismissed, now }: Shown): Job[] {
  const seen = new Set<unknown>();
  return jobs.filter((job) => {
    if (job.kind !== 'pull' || seen.has(job.args['source'])) return false;
    seen.add(job.args['source']);
    if (!isOver(job.state)) return true;
    if (dismissed.has(job.id)) return false;
    if (started.has(job.id)) return true;
    const ended = job.finished_at ? Date.parse(job.finished_at) : 0;
    return job.state === 'failed' && now - ended < REMEMBERED_MILLISECONDS;
  });
}

export function usePull(onStart: (id: string) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (asked: Pull) => body(await api.POST('/api/models/pull', { body: asked })),
    onSuccess: async (job) => {
      await client.invalidateQueries({ queryKey: ['jobs'] });
      onStart(job.id);
    },
  });
}

/** What a fetch asked for, to ask for it again. */
export function askedBy(job: Job): Pull {
  const { source, name, tokenizer } = job.args as unknown as Pull;
  return { source, ...(name ? { name } : {}), ...(tokenizer ? { tokenizer } : {}) };
}
