/** What has been exported of a variant, and what is going on. */
import { queryOptions } from '@tanstack/react-query';

import { api, body, send } from '../../api/client';
import type { components } from '../../client/schema';
import { isLinkable } from '../../sources/original';

export type Export = components['schemas']['ExportReport'];
export type Format = Export['format'];

export const exportsQuery = (variant: string) =>
  queryOptions({
    queryKey: ['exports', variant],
    queryFn: async () => body(await api.GET('/api/exports', { params: { query: { variant } } })).exports,
  });

/** The newest job of the kind for this variant: its progress survives a reload. */
export const exportJobQuery = (variant: string) =>
  queryOptions({
    queryKey: ['jobs', 'export', variant],
    queryFn: async () => {
      const jobs = body(await api.GET('/api/jobs', { params: { query: { kind: 'export', limit: 50 } } }));
      return jobs.find((job) => job.args['variant'] === variant) ?? null;
    },
  });

/** By a link where the browser can follow one, since files of gigabytes go straight onto the disk then. */
export async function download({ id, format }: Export): Promise<void> {
  const path = `/api/exports/${id}/archive`;
  const address = isLinkable() ? path : URL.createObjectURL(await (await send(path)).blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `twotrack-${format}-${id}.tar`;
  link.click();
  if (address !== path) setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
