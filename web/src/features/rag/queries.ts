/** What the search view reads from the studio. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import type { Asked } from './asked';

type Schemas = components['schemas'];
export type Passage = Schemas['Passage'];
export type Passages = Schemas['Passages'];
export type FilterField = Schemas['FilterField'];

export const searchQuery = (collection: string, { query = '', legs, filters }: Asked, k: number) =>
  queryOptions({
    queryKey: ['rag', 'search', collection, query, legs ?? 'both', filters ?? {}, k],
    queryFn: async ({ signal }) => {
      const asked = { collection, question: query, legs: legs ?? 'both', filters: filters ?? {}, k } as const;
      return body(await api.POST('/api/rag/search', { body: asked, signal }));
    },
    enabled: query.trim() !== '',
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const fieldsQuery = (collection: string) =>
  queryOptions({
    queryKey: ['rag', 'fields', collection],
    queryFn: async () => body(await api.GET('/api/rag/fields', { params: { query: { collection } } })),
    staleTime: 60_000,
  });

/** Documents to choose one from, by what stands in their source or title. */
export const sourcesQuery = (collection: string, words: string) =>
  queryOptions({
    queryKey: ['rag', 'sources', collection, words],
    queryFn: async () => {
      const params = {
        path: { collection },
        query: { limit: 50, state: 'ready' as const, ...(words ? { query: words } : {}) },
      };
      const read = body(await api.GET('/api/collections/{collection}/documents', { params }));
      return read.documents.map(({ source }) => source);
    },
    placeholderData: keepPreviousData,
  });
