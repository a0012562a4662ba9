/** The turns that this page asked for, on their way or over: they go on while other views are shown. */
import { useSyncExternalStore } from 'react';

import type { LiveAnswer } from './liveAnswer';

/** A turn that does not follow the last message: another version of a question, or another answer to one. */
export type Branch = { kind: 'edit' | 'again'; id: string };

export interface Turn {
  readonly key: string;
  /** Null until the studio has made the conversation. */
  readonly sessionId: string | null;
  readonly questionId: string | null;
  readonly answerId: string | null;
  /** Where the question stands in the conversation. */
  readonly position: number;
  readonly branch: Branch | null;
  readonly message: string;
  readonly main: LiveAnswer;
  readonly beside: LiveAnswer | null;
}

let turns: readonly Turn[] = [];
const watchers = new Set<() => void>();

function set(next: readonly Turn[]): void {
  turns = next;
  watchers.forEach((watcher) => watcher());
}

export function addTurn(turn: Turn): void {
  set([...turns, turn]);
}

/** Also without a change: whoever shows turns looks again at what has become of their answers. */
export function changeTurn(key: string, change: Partial<Turn> = {}): void {
  set(turns.map((turn) => (turn.key === key ? { ...turn, ...change } : turn)));
}

export function dropTurn(key: string): void {
  set(turns.filter((turn) => turn.key !== key));
}

/** Turns that never reached a conversation, when a new one is started. */
export function dropUnkept(): void {
  set(turns.filter((turn) => turn.sessionId !== null || !isOver(turn)));
}

/** Attempts at a branch that the studio did not take: they hide what stands in the conversation. */
export function dropFailedBranches(sessionId: string | null): void {
  set(turns.filter((one) => !(one.sessionId === sessionId && one.branch && !one.answerId && isOver(one))));
}

export function turn(key: string): Turn | undefined {
  return turns.find((one) => one.key === key);
}

export function isOver({ main, beside }: Turn): boolean {
  return main.over && (beside?.over ?? true);
}

export function stop({ main, beside }: Turn): void {
  for (const answer of [main, beside]) if (answer && !answer.over) answer.abort.abort();
}

export function useTurns(): readonly Turn[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => turns,
  );
}
