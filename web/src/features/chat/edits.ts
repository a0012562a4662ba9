/** Texts that are being edited where they stand: rows leave the page when they are out of sight, these stay. */
import { useCallback, useSyncExternalStore } from 'react';

const edits = new Map<string, string>();
const watchers = new Set<() => void>();

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** The edited text of one thing, null while it is not being edited. */
export function useEdit(key: string): [string | null, (text: string | null) => void] {
  const text = useSyncExternalStore(subscribe, () => edits.get(key) ?? null);
  const set = useCallback(
    (next: string | null) => {
      if (next === null) edits.delete(key);
      else edits.set(key, next);
      watchers.forEach((watcher) => watcher());
    },
    [key],
  );
  return [text, set];
}
