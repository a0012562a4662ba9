/** Origins that may use the studio: what is entered, checked, and put into the settings beside others' changes. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { hasStatus } from '../../api/problem';
import type { Words } from '../../words';
import { change, settingsQuery, type Settings } from './settings';

export type Fault = Exclude<keyof Words['admin']['origins']['faults'], 'path'> | { path: string };

/** The origin as a browser sends it, or what is wrong with the text. */
export function readOrigin(text: string, listed: readonly string[]): { origin: string } | { fault: Fault } {
  const given = text.trim();
  if (given === '') return { fault: 'empty' };
  if (given.includes('*')) return { fault: 'wildcard' };
  if (!/^https?:\/\//i.test(given)) return { fault: 'scheme' };
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return { fault: 'broken' };
  }
  if (url.username || url.password) return { fault: 'broken' };
  if (url.pathname !== '/' || url.search || url.hash) return { fault: { path: url.origin } };
  return listed.includes(url.origin) ? { fault: 'listed' } : { origin: url.origin };
}

/** Whether what is sent to and from there can be read on the way. */
export function isPlain(origin: string): boolean {
  // What the studio tells is shown, whatever it is.
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  const here = hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
  return protocol === 'http:' && !here;
}

export interface OriginChange {
  add?: string;
  remove?: string;
}

export function changed(listed: readonly string[], { add, remove }: OriginChange): string[] {
  return [...listed.filter((origin) => origin !== remove && origin !== add), ...(add ? [add] : [])];
}

/** Adds or removes one origin; what somebody else has changed in the settings meanwhile stays. */
export function useChangeOrigins(onChanged: (made: OriginChange) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (wanted: OriginChange) => {
      const put = ({ allowed_origins, revision }: Settings) =>
        change({ allowed_origins: changed(allowed_origins, wanted) }, revision);
      const known = await client.fetchQuery(settingsQuery);
      try {
        return await put(known);
      } catch (error) {
        if (!hasStatus(error, 409)) throw error;
        return put(await client.fetchQuery({ ...settingsQuery, staleTime: 0 }));
      }
    },
    onSuccess: (saved, wanted) => {
      client.setQueryData(settingsQuery.queryKey, saved);
      void client.invalidateQueries({ queryKey: ['events'] });
      onChanged(wanted);
    },
  });
}
