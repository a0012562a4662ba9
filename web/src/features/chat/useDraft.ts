/** The text that is being written, one for each conversation: it outlives a look at another view and a reload. */
import { useCallback, useState } from 'react';

const PREFIX = 'twotrack.draft.';
/** What is longer is kept for as long as the page lives: the browser's store has little room. */
const LONGEST_STORED = 100_000;
const kept = new Map<string | null, string>();

function read(sessionId: string | null): string {
  return kept.get(sessionId) ?? sessionStorage.getItem(PREFIX + (sessionId ?? '')) ?? '';
}

function write(sessionId: string | null, text: string): void {
  kept.set(sessionId, text);
  const key = PREFIX + (sessionId ?? '');
  try {
    if (text && text.length <= LONGEST_STORED) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // A full store loses the draft at a reload, and nothing else.
  }
}

export function useDraft(sessionId: string | null) {
  const [state, setState] = useState({ sessionId, text: read(sessionId) });
  const set = useCallback(
    (text: string) => {
      write(sessionId, text);
      setState({ sessionId, text });
    },
    [sessionId],
  );
  return {
    text: state.sessionId === sessionId ? state.text : read(sessionId),
    write: set,
    clear: () => set(''),
  };
}

export type Draft = ReturnType<typeof useDraft>;
