/** What the documents' views read from the studio. Everything about one collection lies below its key. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';

type Schemas = components['schemas'];
export type Collection = Schemas['CollectionEntry'];
export type Document = Schemas['Document'];

export const collectionsQuery = queryOptions({
  queryKey: ['collections'],
  queryFn: async () => body(await api.GET('/api/collections')),
});

export const collectionQuery = (collection: string) =>
  queryOptions({
    queryKey: ['collections', collection],
    queryFn: async () =>
      body(await api.GET('/api/collections/{collection}', { params: { path: { collection } } })),
  });

export const documentsQuery = (
  collection: string,
  filter: { query?: string; state?: Document['state'] } = {},
) =>
  infiniteQueryOptions({
    queryKey: ['collections', collection, 'documents', filter],
    queryFn: async ({ pageParam }) =>
      body(
        await api.GET('/api/collections/{collection}/documents', {
          params: {
            path: { collection },
            query: { ...filter, ...(pageParam === null ? {} : { after: pageParam }) },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });
