/** Files on their way to the studio, one after the other. They go on while one looks at other views. */
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

import { upload } from '../../api/upload';
import { dataJobsQuery, LARGEST, startCheck, type DataSetEntry } from './queries';

export interface Sending {
  readonly id: number;
  readonly file: File;
  /** The part that has gone, from 0 to 1; at 1 the studio looks at what it is. */
  readonly sent: number;
  readonly fault: 'large' | null;
  readonly error: unknown;
}

let all: readonly Sending[] = [];
const aborts = new Map<number, AbortController>();
const watchers = new Set<() => void>();
let last = 0;

/** Sends the files; what has arrived and is recognized is checked at once.
 *
 * @param onArrived Told of the sets once all have been tried.
 */
export async function sendFiles(
  files: readonly File[],
  client: QueryClient,
  onArrived: (sets: readonly DataSetEntry[]) => void,
): Promise<void> {
  const entries = files.map((file): Sending => ({
    id: ++last,
    file,
    sent: 0,
    fault: file.size > LARGEST ? 'large' : null,
    error: null,
  }));
  set([...entries, ...all]);
  const arrived: DataSetEntry[] = [];
  for (const one of entries) {
    if (one.fault !== null || !all.some(({ id }) => id === one.id)) continue;
    const found = await send(one.id, one.file, client);
    if (found) arrived.push(found);
  }
  if (arrived.length > 0) onArrived(arrived);
}

export async function sendAgain(
  one: Sending,
  client: QueryClient,
  onArrived: (sets: readonly DataSetEntry[]) => void,
): Promise<void> {
  change(one.id, { sent: 0, error: null });
  const found = await send(one.id, one.file, client);
  if (found) onArrived([found]);
}

async function send(id: number, file: File, client: QueryClient): Promise<DataSetEntry | null> {
  const stop = new AbortController();
  aborts.set(id, stop);
  const form = new FormData();
  form.append('file', file, file.name);
  try {
    const told = (sent: number) => change(id, { sent });
    const made = (await upload('/api/data', form, { signal: stop.signal, told })) as DataSetEntry;
    dismiss(id);
    if (made.recognized.format) {
      // A check that could not be started is offered by the set's own view.
      await startCheck(made.id).catch(() => undefined);
      await client.invalidateQueries({ queryKey: dataJobsQuery.queryKey });
    }
    await client.invalidateQueries({ queryKey: ['data'] });
    return made;
  } catch (error) {
    if (stop.signal.aborted) dismiss(id);
    else change(id, { error });
    return null;
  } finally {
    aborts.delete(id);
  }
}

export function dismiss(id: number): void {
  aborts.get(id)?.abort();
  set(all.filter((one) => one.id !== id));
}

export function useSending(): readonly Sending[] {
  return useSyncExternalStore(subscribe, () => all);
}

function change(id: number, to: Partial<Sending>): void {
  set(all.map((one) => (one.id === id ? { ...one, ...to } : one)));
}

function set(next: readonly Sending[]): void {
  const goes = (some: readonly Sending[]) =>
    some.some(({ fault, error }) => fault === null && error === null);
  if (goes(next) && !goes(all)) window.addEventListener('beforeunload', warn);
  if (!goes(next) && goes(all)) window.removeEventListener('beforeunload', warn);
  all = next;
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
