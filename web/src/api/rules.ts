/** Defaults and limits of fields, from the studio's own OpenAPI document: a form repeats none of them. */
import { queryOptions } from '@tanstack/react-query';

import { send } from './client';

export interface Rule {
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}
export type Rules = Readonly<Record<string, Rule>>;

interface Schema extends Rule {
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
}

const documentQuery = queryOptions({
  queryKey: ['openapi'],
  staleTime: Infinity,
  queryFn: async () => {
    const response = await send('/api/openapi.json');
    const { components } = (await response.json()) as { components?: { schemas?: Record<string, Schema> } };
    return components?.schemas ?? {};
  },
});

/** Rules of the fields of a schema, or of one of its properties. */
export const rulesQuery = (schema: string, property?: string) =>
  queryOptions({
    ...documentQuery,
    select: (schemas: Record<string, Schema>): Rules => {
      const whole = schemas[schema];
      const found = property === undefined ? whole : whole?.properties?.[property];
      return Object.fromEntries(
        Object.entries(found?.properties ?? {}).map(([name, field]) => [
          name,
          { ...field.anyOf?.[0], ...field },
        ]),
      );
    },
  });
