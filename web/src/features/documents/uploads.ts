/** Uploads go on while one looks at other views: they live here, not in a component. */
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

import { isUnreachable } from '../../api/problem';
import type { Job } from '../../api/queries';
import { upload } from '../../api/upload';
import { batchesOf, sizeOf, unreadable, type Picked, type Refused, type Sorted } from './files';
import type { Accepted } from './queries';

export interface Upload {
  readonly id: number;
  /** Name of the collection that it goes to. */
  readonly collection: string;
  /** What is being sent, or was to be sent when it failed. */
  readonly files: readonly Picked[];
  /** Bytes of them that have gone. */
  readonly sent: number;
  readonly state: 'sending' | 'failed' | 'over';
  readonly error: unknown;
  readonly refused: readonly Refused[];
  readonly leftOut: number;
}

type Limits = Pick<Accepted, 'largest_upload' | 'most_files'>;

let uploads: readonly Upload[] = [];
/** The files of jobs that were started here: to send them again if the job fails. */
const filesOfJobs = new Map<string, readonly Picked[]>();
const aborts = new Map<number, AbortController>();
const watchers = new Set<() => void>();
let last = 0;

/** Each request becomes a job, which `onJob` hears of. */
export function startUpload(
  collection: string,
  { taken, refused, leftOut }: Sorted,
  limits: Limits,
  client: QueryClient,
  onJob: (id: string) => void,
): void {
  const id = ++last;
  const state = taken.length > 0 ? 'sending' : 'over';
  set([{ id, collection, files: taken, sent: 0, state, error: null, refused, leftOut }, ...uploads]);
  if (taken.length > 0) void send(id, taken, limits, client, onJob);
}

async function send(
  id: number,
  files: readonly Picked[],
  limits: Limits,
  client: QueryClient,
  onJob: (id: string) => void,
): Promise<void> {
  const stop = new AbortController();
  aborts.set(id, stop);
  let rest = files;
  let gone = 0;
  try {
    for (const batch of batchesOf(files, limits)) {
      const size = sizeOf(batch);
      const form = new FormData();
      form.append('collection', find(id)?.collection ?? '');
      for (const { file, path } of batch) form.append('files', file, path);
      const told = (fraction: number) => change(id, { sent: gone + fraction * size });
      const job = (await upload('/api/ingest/files', form, { signal: stop.signal, told })) as Job;
      filesOfJobs.set(job.id, batch);
      onJob(job.id);
      await client.invalidateQueries({ queryKey: ['jobs'] });
      gone += size;
      rest = rest.slice(batch.length);
    }
    const { refused = [], leftOut = 0 } = find(id) ?? {};
    // What is left to say is said; otherwise its jobs tell the rest.
    if (refused.length === 0 && leftOut === 0) dismissUpload(id);
    else change(id, { state: 'over', files: [] });
  } catch (error) {
    if (stop.signal.aborted) dismissUpload(id);
    else await fail(id, rest, error);
  } finally {
    aborts.delete(id);
  }
}

/** A file that has vanished looks like a connection that has: the files themselves tell which it was. */
async function fail(id: number, rest: readonly Picked[], error: unknown): Promise<void> {
  const gone = isUnreachable(error) ? await unreadable(rest) : [];
  const refused = [
    ...(find(id)?.refused ?? []),
    ...gone.map(({ path }) => ({ path, fault: 'unreadable' as const })),
  ];
  const files = rest.filter((one) => !gone.includes(one));
  change(id, {
    files,
    refused,
    sent: 0,
    state: files.length > 0 ? 'failed' : 'over',
    error: gone.length ? null : error,
  });
}

export function sendAgain(
  id: number,
  limits: Limits,
  client: QueryClient,
  onJob: (id: string) => void,
): void {
  const found = find(id);
  if (!found) return;
  change(id, { state: 'sending', sent: 0, error: null });
  void send(id, found.files, limits, client, onJob);
}

export function cancelUpload(id: number): void {
  aborts.get(id)?.abort();
}

export function dismissUpload(id: number): void {
  set(uploads.filter((one) => one.id !== id));
}

export const filesOfJob = (id: string): readonly Picked[] | undefined => filesOfJobs.get(id);

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(subscribe, () => uploads);
}

function find(id: number): Upload | undefined {
  return uploads.find((one) => one.id === id);
}

function change(id: number, to: Partial<Upload>): void {
  set(uploads.map((one) => (one.id === id ? { ...one, ...to } : one)));
}

function set(next: readonly Upload[]): void {
  const sending = (all: readonly Upload[]) => all.some(({ state }) => state === 'sending');
  if (sending(next) && !sending(uploads)) window.addEventListener('beforeunload', warn);
  if (!sending(next) && sending(uploads)) window.removeEventListener('beforeunload', warn);
  uploads = next;
  watchers.forEach((watcher) => watcher());
}

/** The browser asks whether to leave: what has not been sent would be lost. */
function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
