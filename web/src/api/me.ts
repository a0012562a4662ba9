/** Who the page is to the studio, and what that allows. The studio decides; the page only leaves out what it would refuse. */
import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query';

import { unlock } from './access';
import { send } from './client';
import { connect, disconnect, type Connection } from './connection';
import { ProblemError, problemOf } from './problem';

export interface Me {
  name: string;
  role: 'admin' | 'user';
  /** Null for the studio's owner, who needs no key of the table. */
  key_id: string | null;
  /** Whether this studio asks for a key. */
  login: boolean;
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async () => (await (await send('/api/me')).json()) as Me,
  staleTime: 60_000,
});

/** Undefined until the studio has told. */
export function useMe(): Me | undefined {
  return useQuery(meQuery).data;
}

export function useIsAdmin(): boolean {
  return useMe()?.role === 'admin';
}

/** Ask the studio who would come with this key, and go on with it if it is good.
 * @throws ProblemError where the studio refuses it; TypeError where nobody answers. */
export async function signIn(next: Connection, remember: boolean, queries: QueryClient): Promise<void> {
  const response = await fetch(`${next.address}/api/me`, {
    headers: {
      ...(next.key ? { Authorization: `Bearer ${next.key}` } : {}),
      'Accept-Language': document.documentElement.lang,
    },
  });
  if (!response.ok) throw new ProblemError(await problemOf(response));
  const me = (await response.json()) as Me;
  const before = queries.getQueryData(meQuery.queryKey);
  connect(next, remember);
  unlock();
  queries.setQueryData(meQuery.queryKey, me);
  // Another person's conversations must not stay on the screen; one's own need only be looked at again.
  if (before && before.key_id !== me.key_id) {
    await queries.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
  } else {
    await queries.invalidateQueries();
  }
}

/** Whatever is in memory belonged to who has gone: the page starts afresh. */
export function signOut(): void {
  disconnect();
  window.location.assign('/');
}
