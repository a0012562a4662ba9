/** The text that is being written, one for each conversation: it outlives a look at another view, and a reload. */
import { useCallback, useState } from 'react';

const PREFIX = 'twotrack.draft.';
/** What a browser keeps for a tab is some five million characters in all. */
const LONGEST_KEPT = 500_000;
const WAIT_MS = 400;

const texts = new Map<string, string>();
const unwritten = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

function read(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  return sessionStorage.getItem(PREFIX + name) ?? '';
}

function keep(name: string, text: string): void {
  texts.set(name, text);
  unwritten.add(name);
  clearTimeout(timer);
  // Not at each keystroke: a long text takes its time.
  timer = setTimeout(write, WAIT_MS);
}

function write(): void {
  for (const name of unwritten) {
    const text = texts.get(name) ?? '';
    try {
      if (text && text.length <= LONGEST_KEPT) sessionStorage.setItem(PREFIX + name, text);
      else sessionStorage.removeItem(PREFIX + name);
    } catch {
      // No room: the text is there as long as the page is.
    }
  }
  unwritten.clear();
}

window.addEventListener('pagehide', write);

export function useDraft(sessionId: string | null) {
  const name = sessionId ?? '';
  const [state, setState] = useState(() => ({ name, text: read(name) }));
  const text = state.name === name ? state.text : read(name);
  const set = useCallback(
    (next: string) => {
      keep(name, next);
      setState({ name, text: next });
    },
    [name],
  );
  return { text, write: set, clear: useCallback(() => set(''), [set]) };
}

export type Draft = ReturnType<typeof useDraft>;
