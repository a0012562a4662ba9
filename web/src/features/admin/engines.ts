/** What is loaded, and what of the memory it takes. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';

export type Engines = components['schemas']['LoadedEngines'];
export type Engine = components['schemas']['LoadedEngine'];

export const MIB = 2 ** 20;

export const enginesQuery = queryOptions({
  queryKey: ['engines'],
  queryFn: async () => body(await api.GET('/api/admin/engines')),
  refetchInterval: 3_000,
});

/** Of the budget, from 0 to 1: more than all of it after the budget was lowered is all of it. */
export function share({ reserved_mib, budget_mib }: Engines): number {
  return budget_mib > 0 ? Math.min(1, reserved_mib / budget_mib) : 1;
}

export function useUnload(id: string, onUnloaded: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await api.DELETE('/api/admin/engines/{engine_id}', { params: { path: { engine_id: id } } });
    },
    onSuccess: onUnloaded,
    onSettled: () => client.invalidateQueries(enginesQuery),
  });
}
