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

export type Collection = components['schemas']['CollectionEntry'];

/** How many data sets there are, up to as many as one answer lists. Below the data's own key. */
export const setsQuery = queryOptions({
  queryKey: ['data', 'count'],
  queryFn: async () => body(await api.GET('/api/data', { params: { query: { limit: 500 } } })).length,
});

/** Under the key that the documents' views have too: what changes those changes these. */
export const collectionsQuery = queryOptions({
  queryKey: ['collections'],
  queryFn: async () => body(await api.GET('/api/collections')),
});
