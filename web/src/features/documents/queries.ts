/** What the documents' views read from the studio. Everything about one collection lies below its key. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';

type Schemas = components['schemas'];
export type Accepted = Schemas['Accepted'];
export type Collection = Schemas['CollectionEntry'];
/** Its headings are the source viewer's affair, and openapi-fetch loses the form of a tuple. */
export type Document = Omit<Schemas['Document'], 'headings'>;
export type DocumentState = Document['state'];
export type IngestedFile = Schemas['IngestedFile'];
export type IngestReport = Schemas['IngestReport'];
export type WatchedFolder = Schemas['WatchedFolder'];

/** Where documents go when no collection is named; the first document makes it. */
export const USUAL_COLLECTION = 'documents';

/** While a job changes them. */
export const LIVE_MILLISECONDS = 3_000;

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

export interface Filter {
  query?: string;
  state?: DocumentState;
}

export const documentsQuery = (collection: string, filter: Filter) =>
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

/** What became of each file of a job, or of those with an outcome. */
export const filesQuery = (job: string, outcome?: IngestedFile['outcome']) =>
  infiniteQueryOptions({
    queryKey: ['job', job, 'files', outcome],
    queryFn: async ({ pageParam }) =>
      body(
        await api.GET('/api/ingest/{job_id}/files', {
          params: {
            path: { job_id: job },
            query: {
              ...(outcome ? { outcome: [outcome] } : {}),
              ...(pageParam === null ? {} : { after: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });

export const acceptedQuery = queryOptions({
  queryKey: ['ingest', 'formats'],
  queryFn: async () => body(await api.GET('/api/ingest/formats')),
  staleTime: Infinity,
});

export const watchedQuery = queryOptions({
  queryKey: ['ingest', 'watched'],
  queryFn: async () => body(await api.GET('/api/ingest/watched')),
  refetchInterval: 5_000,
});
