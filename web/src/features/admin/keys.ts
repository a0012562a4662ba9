/** Keys: who may use the studio, and as what. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import { replaceKey } from '../../api/connection';
import { useMe } from '../../api/me';
import type { components } from '../../client/schema';

export type Key = components['schemas']['Key'];
export type KeyWithSecret = components['schemas']['KeyWithSecret'];
export type Role = Key['role'];

const KEYS = ['keys'];

export const keysQuery = queryOptions({
  queryKey: KEYS,
  queryFn: async () => body(await api.GET('/api/admin/keys')),
});

export interface KeyFields {
  name: string;
  role: Role;
  expires_at: string | null;
}

/** Whatever changed a key also stands in the log. */
function useRefresh() {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: KEYS });
    void client.invalidateQueries({ queryKey: ['events'] });
    void client.invalidateQueries({ queryKey: ['me'] });
  };
}

export function useCreateKey() {
  return useMutation({
    mutationFn: async (fields: KeyFields) => body(await api.POST('/api/admin/keys', { body: fields })),
    onSuccess: useRefresh(),
  });
}

export function useChangeKey(id: string) {
  return useMutation({
    mutationFn: async (fields: Partial<KeyFields>) =>
      body(await api.PATCH('/api/admin/keys/{key_id}', { params: { path: { key_id: id } }, body: fields })),
    onSuccess: useRefresh(),
  });
}

export function useRenewKey(id: string) {
  const refresh = useRefresh();
  const me = useMe();
  return useMutation({
    mutationFn: async () =>
      body(await api.POST('/api/admin/keys/{key_id}/renew', { params: { path: { key_id: id } } })),
    onSuccess: ({ secret }) => {
      // The page's own: it goes on with the new secret, or its next request would lock it out.
      if (me?.key_id === id) replaceKey(secret);
      refresh();
    },
  });
}

export function useRevokeKey(id: string, onRevoked: () => void) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async () => {
      await api.DELETE('/api/admin/keys/{key_id}', { params: { path: { key_id: id } } });
    },
    onSuccess: () => {
      onRevoked();
      refresh();
    },
  });
}

export const TERMS = ['never', 'days30', 'days90', 'year', 'date'] as const;
export type Term = (typeof TERMS)[number];
const DAYS: Partial<Record<Term, number>> = { days30: 30, days90: 90, year: 365 };

/** When a key of this term ends: the end of its last day on this machine's clock, or null for never. */
export function endOf(term: Term, date: string, now = new Date()): string | null {
  if (term === 'never') return null;
  const day = new Date(term === 'date' ? `${date}T00:00:00` : now);
  if (Number.isNaN(day.getTime())) return null;
  day.setDate(day.getDate() + (DAYS[term] ?? 0));
  day.setHours(23, 59, 59, 0);
  return day.toISOString();
}

/** `2026-03-01` of a moment, in this machine's time zone, as a date field holds it. */
export function dayOf(moment: string | Date): string {
  const day = new Date(moment);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
