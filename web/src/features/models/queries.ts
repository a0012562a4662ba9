/** What the models' views read from the studio beside the list of models, and which of them answers by default. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, body } from '../../api/client';
import { isBase, modelsQuery, type BaseEntry } from '../../api/queries';
import type { components } from '../../client/schema';

export { detailsQuery } from '../../api/queries';
export type Details = components['schemas']['ModelDetails'];
type Settings = components['schemas']['SettingsRevision'];

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: async () => body(await api.GET('/api/admin/settings')),
});

/** The name of the variant that answers where none is named. */
export function usualOf(models: readonly BaseEntry[], wanted: string | null | undefined): string | undefined {
  const all = models.flatMap(({ variants }) => variants);
  if (wanted && all.some(({ name }) => name === wanted)) return wanted;
  const oldest = [...models].sort((a, b) => a.base.created_at.localeCompare(b.base.created_at))[0];
  return oldest?.variants.find(isBase)?.name ?? oldest?.base.name;
}

export function useUsual(): string | undefined {
  const models = useQuery(modelsQuery).data;
  const settings = useQuery(settingsQuery).data;
  return models && settings && usualOf(models, settings.default_variant);
}

export async function makeUsual(name: string): Promise<Settings> {
  // Other settings stay as they are when they are not sent, which the generated type does not know.
  return body(await api.PUT('/api/admin/settings', { body: { default_variant: name } as Settings }));
}

export function useMakeUsual() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: makeUsual,
    onSuccess: (settings) => client.setQueryData(settingsQuery.queryKey, settings),
  });
}

/** A variant of a base and adapters, which is looked at next. */
export function useCreateVariant(onDone: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (asked: components['schemas']['NewVariant']) =>
      body(await api.POST('/api/models/variants', { body: asked })),
    onSuccess: async (variant) => {
      await client.invalidateQueries({ queryKey: ['models'] });
      onDone();
      await navigate({ to: '/models/$name', params: { name: variant.name } });
    },
  });
}

/** The names that variants, and so bases, go by: for telling while one is typed that it is taken. */
export function useTaken(except?: string): ReadonlySet<string> {
  const models = useQuery(modelsQuery).data ?? [];
  const names = models.flatMap(({ variants }) => variants.map(({ name }) => name));
  return new Set(names.filter((name) => name !== except));
}

export type Memory = components['schemas']['Memory'];

/** Null for a model that runs elsewhere. */
export function memoryOf({ memory }: Details): Memory | null {
  return memory.how === 'remote' ? null : memory;
}

export function verdictOf({ fits, needed_mib: needed, free_mib: free }: Memory): 'fits' | 'tight' | 'no' {
  if (!fits) return 'no';
  return needed > free ? 'tight' : 'fits';
}

export const MIB = 2 ** 20;
