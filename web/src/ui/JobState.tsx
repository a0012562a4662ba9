/** A job's state as a badge: colour and word, never colour alone. */
import { Badge } from '@mantine/core';

import type { JobState as State } from '../api/queries';
import { useWords } from '../words';

const COLOURS: Record<State, string> = {
  queued: 'gray',
  running: 'cyan',
  succeeded: 'teal',
  failed: 'red',
  cancelled: 'gray',
};

/** `paused` says of a cancelled job that it can go on. */
export function JobState({ state, paused = false }: { state: State; paused?: boolean }) {
  const { jobs } = useWords();
  return (
    <Badge variant="light" color={paused ? 'cyan' : COLOURS[state]} className={`state state-${state}`}>
      {paused ? jobs.paused : jobs.states[state]}
    </Badge>
  );
}
