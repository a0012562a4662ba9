/** The source that is open beside the conversation: in the address, so that it survives a reload and a phone's
 * back button closes it. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

import type { Citation, Place } from '../../sources/sourced';

export function useSourcePlace() {
  const { source, start, end } = useSearch({ from: '/chat' });
  const navigate = useNavigate();
  const opened = useMemo((): Place | null => {
    if (source === undefined) return null;
    const span = start !== undefined && end !== undefined ? { start, end } : null;
    return { document: source, span };
  }, [source, start, end]);
  const closed = opened === null;
  const open = useCallback(
    ({ document, start, end }: Citation) =>
      void navigate({
        to: '.',
        search: (before) => ({ ...before, source: document, start, end }),
        replace: !closed,
        resetScroll: false,
      }),
    [navigate, closed],
  );
  const close = useCallback(
    () =>
      void navigate({
        to: '.',
        search: ({ source: _, start: _start, end: _end, ...others }) => others,
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return { opened, open, close };
}
