/** One fetch: what it fetches, how far it is, and the way to the model when it is here. */
import { CloseButton, Group, Stack, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';

import { useJob } from '../../api/jobs';
import { isOver, type Job } from '../../api/queries';
import { subjectOf } from '../../ui/JobCard';
import { JobProgress } from '../../ui/JobProgress';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { askedBy } from './pulls';
import type { Pull } from './sources';

interface Props {
  id: string;
  again: (asked: Pull) => void;
  pending: boolean;
  onDismiss: () => void;
}

export function PullProgress({ id, again, pending, onDismiss }: Props) {
  const { jobs } = useWords();
  const { job } = useJob(id);
  const source = typeof job?.args['source'] === 'string' ? job.args['source'] : '';
  return (
    <Stack gap={6}>
      <Group justify="space-between" wrap="nowrap" gap="sm" mih={28}>
        <Text size="sm" fw={600} className="words">
          {job && subjectOf(job)}
          {job && subjectOf(job) !== source && (
            <Text span size="sm" c="dimmed">
              {` · ${source}`}
            </Text>
          )}
        </Text>
        {job && isOver(job.state) && (
          <CloseButton size="sm" onClick={onDismiss} aria-label={`${jobs.dismiss}: ${subjectOf(job)}`} />
        )}
      </Group>
      <JobProgress
        id={id}
        done={(ended) => <Arrived job={ended} />}
        again={(ended) => again(askedBy(ended))}
        pending={pending}
      />
    </Stack>
  );
}

function Arrived({ job }: { job: Job }) {
  const { models } = useWords();
  const name = String(job.result?.['name'] ?? '');
  return (
    <Group gap="sm">
      <IconCircleCheck size={18} aria-hidden color="var(--track-line)" />
      <Text size="sm" className="words" role="status">
        {models.pull.ready(name)}
      </Text>
      <AnchorLink to="/chat" search={{ variant: name }} size="sm">
        {models.openChat}
      </AnchorLink>
      <AnchorLink to="/models/$name" params={{ name }} size="sm">
        {models.pull.look}
      </AnchorLink>
    </Group>
  );
}
