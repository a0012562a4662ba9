/** What stands between the page and the studio: whether it asks for a key, and whether it answers at all. */
import { useSyncExternalStore } from 'react';

import type { Problem } from './problem';

export interface Access {
  /** Set while nothing is sent, because the studio wants a key first or the user wants to use another one. */
  readonly locked: Lock | null;
  /** The last request reached nobody. */
  readonly away: boolean;
}

export interface Lock {
  /** What the studio said; null where nobody has asked it yet. */
  readonly problem: Problem | null;
  /** The user's own wish: they may go back. */
  readonly wished: boolean;
}

let access: Access = { locked: null, away: false };
const watchers = new Set<() => void>();

function set(next: Access): void {
  access = next;
  watchers.forEach((watcher) => watcher());
}

export const accessState = (): Access => access;

/** From here on nothing is sent: a page that went on asking with a dead key would be taken for a guesser. */
export function lock(problem: Problem | null, wished = false): void {
  if (!access.locked || access.locked.wished) set({ ...access, locked: { problem, wished } });
}

export function unlock(): void {
  if (access.locked) set({ ...access, locked: null });
}

export function setAway(away: boolean): void {
  if (access.away !== away) set({ ...access, away });
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useAccess(): Access {
  return useSyncExternalStore(subscribe, accessState);
}
