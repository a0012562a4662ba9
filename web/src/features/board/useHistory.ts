/** A value with what it was before: undo, and redo until something else is done. */
import { useReducer } from 'react';

export interface History<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
  /** What is being turned: moves of one thing in a row are one step back. */
  by: string | null;
}

type Act<T> = { kind: 'set'; value: T; by: string | null } | { kind: 'undo' } | { kind: 'redo' };

const LONGEST = 200;

export function step<T>(history: History<T>, act: Act<T>): History<T> {
  const { past, now, future } = history;
  if (act.kind === 'set') {
    if (act.by !== null && act.by === history.by) return { ...history, now: act.value, future: [] };
    return { past: [...past, now].slice(-LONGEST), now: act.value, future: [], by: act.by };
  }
  const from = act.kind === 'undo' ? past : future;
  const value = act.kind === 'undo' ? from.at(-1) : from[0];
  if (value === undefined) return history;
  return act.kind === 'undo'
    ? { past: past.slice(0, -1), now: value, future: [now, ...future], by: null }
    : { past: [...past, now], now: value, future: future.slice(1), by: null };
}

export function useHistory<T>(first: T) {
  const [history, act] = useReducer(step<T>, { past: [], now: first, future: [], by: null });
  return {
    value: history.now,
    /** `by` names what is turned, while it is turned. */
    set: (value: T, by: string | null = null) => act({ kind: 'set', value, by }),
    undo: history.past.length ? () => act({ kind: 'undo' }) : null,
    redo: history.future.length ? () => act({ kind: 'redo' }) : null,
  };
}
