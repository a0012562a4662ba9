/** What the map's view reads from the studio. A base never changes, and neither does its map. */
import { queryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';

type Schemas = components['schemas'];
export type Mapped = Schemas['MappedModel'];
export type ModelMap = Schemas['ModelMap'];
export type Module = Schemas['MapModule'];
export type Norms = Schemas['MapNorms'];
export type Sensed = Schemas['SensitivityReport'];

export const mapQuery = (name: string) =>
  queryOptions({
    queryKey: ['map', name],
    queryFn: async () => body(await api.GET('/api/models/{name}/map', { params: { path: { name } } })),
    staleTime: Infinity,
  });

/** Reads all weights the first time, so it is asked for by a press alone. */
export const normsQuery = (name: string) =>
  queryOptions({
    queryKey: ['map', name, 'norms'],
    queryFn: async () => body(await api.GET('/api/models/{name}/map/norms', { params: { path: { name } } })),
    staleTime: Infinity,
    enabled: false,
    retry: false,
  });

/** The measurements of a base, the newest first. */
export const sensitivitiesQuery = (base: string) =>
  queryOptions({
    queryKey: ['jobs', 'sensitivity', base],
    queryFn: async () => {
      const query = { kind: 'sensitivity', limit: 200 };
      const jobs = body(await api.GET('/api/jobs', { params: { query } }));
      return jobs.filter((job) => job.args['base'] === base);
    },
  });
