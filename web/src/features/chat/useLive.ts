import { useSyncExternalStore } from 'react';

import type { LiveAnswer, LiveState } from './liveAnswer';
import type { Details } from './messages';

const nothing = () => () => undefined;
const none = () => null;

/** The present state of an answer on its way; drawn again once a frame at most. */
export function useLive(answer: LiveAnswer | null): LiveState | null {
  return useSyncExternalStore<LiveState | null>(answer?.subscribe ?? nothing, answer?.get ?? none);
}

export function detailsOfLive(live: LiveState | null): Details {
  const { answer, started, phase } = live ?? {};
  if (answer) return answer;
  const { by, rag } = started ?? {};
  return {
    ...(by ? { by } : {}),
    ...(rag ? { rag } : {}),
    ...(phase === 'stopped' ? { cut_off: 'cancelled' } : {}),
  };
}
