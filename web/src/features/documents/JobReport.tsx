/** A job on documents: what it is about, how far it is, and what became of each of its files. */
import { Button, CloseButton, Group, Stack, Text } from '@mantine/core';
import { IconStack2 } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useJob } from '../../api/jobs';
import { useIsAdmin } from '../../api/me';
import { isOver, type Job } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { filesOfJob, startUpload } from './uploads';
import { isAbout, markDismissed, markStarted, sourcesOf } from './activity';
import { EmbedDialog } from './EmbedDialog';
import { Outcome } from './Outcome';
import { acceptedQuery, collectionsQuery, type Collection } from './queries';
import { useIngest } from './useIntake';

/** Errors after which other vectors help: the embedder is gone, or is another one than made the vectors. */
const OF_EMBEDDER = new Set(['embedder-unknown', 'other-embedder', 'embedder-failed', 'embedder-died']);

interface Props {
  job: Job;
  /** The collection whose view this stands in: it need not be named. */
  within: Collection | undefined;
}

export function JobReport({ job: listed, within }: Props) {
  const { documents } = useWords();
  const words = documents.job;
  const format = useFormat();
  const { job = listed } = useJob(listed.id);
  const about = useQuery(collectionsQuery).data?.find((one) => isAbout(job, one));
  const again = useAgain(job, about?.name ?? String(job.args['collection']));
  const [first = '', ...more] = sourcesOf(job);
  const title = job.kind === 'embed' ? words.embed : words.files(first, format.count(more.length));
  return (
    <Stack gap="xs" className="card">
      <Group justify="space-between" wrap="nowrap" gap="sm" mih={28}>
        <Text fw={600} className="words">
          {title}
          {!within && about && (
            <Text span c="dimmed" size="sm">
              {' · '}
              <AnchorLink to="/documents/$collection" params={{ collection: about.name }} size="sm">
                {about.name}
              </AnchorLink>
            </Text>
          )}
        </Text>
        {isOver(job.state) && (
          <CloseButton size="sm" onClick={() => markDismissed(job.id)} aria-label={words.dismiss(title)} />
        )}
      </Group>
      <JobProgress
        id={job.id}
        done={(ended) => <Outcome job={ended} />}
        again={again.start}
        pending={again.isPending}
      />
      {job.state === 'cancelled' && <Outcome job={job} />}
      {job.state === 'failed' && about && <EmbedOffer job={job} collection={about} />}
    </Stack>
  );
}

function EmbedOffer({ job, collection }: { job: Job; collection: Collection }) {
  const { job: words } = useWords().documents;
  const isAdmin = useIsAdmin();
  const [asked, setAsked] = useState(false);
  const code = String(job.error?.['type']).split(':').at(-1) ?? '';
  if (!isAdmin || !OF_EMBEDDER.has(code)) return null;
  return (
    <Group>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconStack2 size={14} aria-hidden />}
        onClick={() => setAsked(true)}
      >
        {words.embedOffer}
      </Button>
      {asked && <EmbedDialog collection={collection} onClose={() => setAsked(false)} />}
    </Group>
  );
}

/** The same once more, as far as it can be had: files of an upload as long as this tab has them. */
function useAgain(job: Job, collection: string) {
  const client = useQueryClient();
  const { data: accepted } = useQuery(acceptedQuery);
  const ingest = useIngest();
  const { urls, path } = job.args as { urls?: string[]; path?: string | null };
  const files = filesOfJob(job.id);
  const start =
    job.kind !== 'ingest'
      ? undefined
      : urls?.length
        ? () => ingest.mutate({ collection, urls })
        : path
          ? () => ingest.mutate({ collection, path })
          : files && accepted
            ? () =>
                startUpload(
                  collection,
                  { taken: files, refused: [], leftOut: 0 },
                  accepted,
                  client,
                  markStarted,
                )
            : undefined;
  return { start, isPending: ingest.isPending };
}
