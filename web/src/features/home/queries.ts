import { queryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';

export type Session = components['schemas']['ListedSession'];

/** The newest conversations. Below the chat's own key: what changes those changes these. */
export const recentQuery = queryOptions({
  queryKey: ['chat', 'sessions', 'recent'],
  queryFn: async () =>
    body(await api.GET('/api/chat/sessions', { params: { query: { limit: 4 } } })).sessions,
});
