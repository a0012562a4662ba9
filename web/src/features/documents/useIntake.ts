/** Takes documents in: files from wherever they were picked, addresses of the web, paths of the studio's machine. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { markStarted } from './activity';
import { dropped, sort, type Picked } from './files';
import { acceptedQuery } from './queries';
import { sendAgain, startUpload } from './uploads';

export type Fault = 'nothing' | 'dropFailed';

export function useIntake(collection: string) {
  const client = useQueryClient();
  const { data: accepted } = useQuery(acceptedQuery);
  const [fault, setFault] = useState<Fault | null>(null);
  const take = (picked: readonly Picked[]) => {
    if (!accepted) return;
    const sorted = sort(picked, accepted);
    const isNothing = sorted.taken.length === 0 && sorted.refused.length === 0;
    setFault(isNothing ? 'nothing' : null);
    if (!isNothing) startUpload(collection, sorted, accepted, client, markStarted);
  };
  const drop = (transfer: DataTransfer) =>
    void dropped(transfer).then(
      (picked) => (picked.length > 0 ? take(picked) : setFault('dropFailed')),
      () => setFault('dropFailed'),
    );
  const again = (upload: number) => accepted && sendAgain(upload, accepted, client, markStarted);
  return { accepted, fault, take, drop, again };
}

/** What the studio fetches by itself: the web's, and what lies on its own machine. */
export function useIngest() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (asked: { collection: string; urls?: string[]; path?: string }) =>
      body(await api.POST('/api/ingest', { body: { urls: [], ...asked } })),
    onSuccess: async (job) => {
      markStarted(job.id);
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
}
