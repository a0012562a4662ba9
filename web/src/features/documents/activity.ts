/** Which jobs the documents' views show, and what they are about. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

import { isOver, jobsQuery, type Job } from '../../api/queries';
import type { Collection, IngestReport } from './queries';

const REMEMBERED_MILLISECONDS = 3_600_000;
const DISMISSED = 'twotrack.documents.dismissed';

interface Shown {
  /** Ids of jobs that were started in this tab, or seen to go on in it. */
  started: ReadonlySet<string>;
  dismissed: ReadonlySet<string>;
  /** Milliseconds. */
  now: number;
}

/** As long as it goes on, was started here, or has something to tell from the last hour. */
export function shownJobs(jobs: readonly Job[], { started, dismissed, now }: Shown): Job[] {
  return jobs.filter((job) => {
    if (job.kind !== 'ingest' && job.kind !== 'embed') return false;
    if (!isOver(job.state)) return true;
    if (dismissed.has(job.id)) return false;
    if (started.has(job.id)) return true;
    const ended = job.finished_at ? Date.parse(job.finished_at) : 0;
    const tells = job.state === 'failed' || (reportOf(job)?.failed ?? 0) > 0;
    return tells && now - ended < REMEMBERED_MILLISECONDS;
  });
}

/** A job names its collection by the id, or by the name of one that it makes. */
export function isAbout(job: Job, collection: Pick<Collection, 'id' | 'name'>): boolean {
  const { collection: named } = job.args;
  return (
    named === collection.id || named === collection.name || reportOf(job)?.collection_id === collection.id
  );
}

export function reportOf(job: Job): IngestReport | undefined {
  return job.kind === 'ingest' && job.result ? (job.result as unknown as IngestReport) : undefined;
}

/** Names of what it takes in. */
export function sourcesOf(job: Job): string[] {
  const { uploads, urls, path } = job.args as { uploads?: string[]; urls?: string[]; path?: string | null };
  return [...(uploads ?? []), ...(urls ?? []), ...(path ? [path] : [])];
}

// Kept outside of components: a job that was started in one view is told of in the other too.
let marks = { started: new Set<string>() as ReadonlySet<string>, dismissed: remembered() };
const watchers = new Set<() => void>();

export function markStarted(...ids: string[]): void {
  set({ ...marks, started: new Set([...marks.started, ...ids]) });
}

export function markDismissed(id: string): void {
  set({ ...marks, dismissed: new Set([...marks.dismissed, id]) });
  sessionStorage.setItem(DISMISSED, JSON.stringify([...marks.dismissed].slice(-100)));
}

/** What is shown of one collection, or of all, and whether any of it goes on. */
export function useActivity(collection?: Pick<Collection, 'id' | 'name'>): { jobs: Job[]; busy: boolean } {
  const { data = [], dataUpdatedAt: now } = useQuery(jobsQuery);
  const seen = useSyncExternalStore(subscribe, () => marks);
  const jobs = shownJobs(data, { ...seen, now }).filter((job) => !collection || isAbout(job, collection));
  const busy = jobs.filter((job) => !isOver(job.state));
  const unseen = busy.map(({ id }) => id).filter((id) => !seen.started.has(id));
  // Whoever has seen one go on is told how it ended, also when it was started elsewhere or before a reload.
  useEffect(() => {
    if (unseen.length > 0) markStarted(...unseen);
  });
  return { jobs, busy: busy.length > 0 };
}

function set(next: typeof marks): void {
  marks = next;
  watchers.forEach((watcher) => watcher());
}

function remembered(): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(DISMISSED) ?? '[]') as string[]);
  } catch {
    return new Set();
  }
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
