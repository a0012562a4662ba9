/** A job that makes sets of one: on its way, failed, or with what it has made. */
import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import type { Job } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { Loading } from '../../ui/Loading';
import { AnchorLink } from '../../ui/links';
import { MadeFacts } from './MadePart';
import { dataSetQuery, madeBy } from './queries';

export function Outcome({ job, title }: { job: Job; title: string }) {
  return <JobProgress key={job.id} id={job.id} done={(over) => <Made ids={madeBy(over)} title={title} />} />;
}

function Made({ ids, title }: { ids: readonly string[]; title: string }) {
  const [first = ''] = ids;
  const { data: set, error } = useQuery({ ...dataSetQuery(first), enabled: first !== '', retry: false });
  // Deleted since: there is nothing to tell any more.
  if (error) return null;
  if (!set) return <Loading rows={1} height={48} />;
  return (
    <Stack gap={6} role="status">
      {ids.length === 1 && (
        <Text>
          {`${title}: `}
          <AnchorLink to="/data/$id" params={{ id: set.id }} fw={600} className="words">
            {set.name}
          </AnchorLink>
        </Text>
      )}
      {set.made && <MadeFacts made={set.made} ids={ids} />}
    </Stack>
  );
}
