/** Fetch a base in one press. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';

export const STARTER = 'starter';
export const MIDM = 'hf:K-intelligence/Midm-2.0-Mini-Instruct';

export function usePull() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (source: string) => body(await api.POST('/api/models/pull', { body: { source } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  });
}
