/** Mixes that go on, have failed lately, or were made in this tab. */
import { Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { isOver, type Job } from '../../api/queries';
import { useWords } from '../../words';
import { Outcome } from './Outcome';
import { dataJobsQuery } from './queries';

const REMEMBERED_MILLISECONDS = 3_600_000;

export function Mixes() {
  const { mix: words } = useWords().data;
  const { data = [], dataUpdatedAt: now } = useQuery(dataJobsQuery);
  const mixes = data.filter((job) => job.args['action'] === 'mix' && isRecent(job, now));
  if (mixes.length === 0) return null;
  return (
    <section aria-labelledby="mixes">
      <Title order={2} size="h4" mb="sm" id="mixes">
        {words.going}
      </Title>
      <Stack gap="sm">
        {mixes.map((job) => {
          const { asked } = job.args as { asked?: { name?: string } };
          return (
            <div key={job.id} className="card">
              <Outcome job={job} title={asked?.name ?? words.title} />
            </div>
          );
        })}
      </Stack>
    </section>
  );
}

function isRecent(job: Job, now: number): boolean {
  if (!isOver(job.state)) return true;
  if (job.state === 'cancelled') return false;
  return job.finished_at !== null && now - Date.parse(job.finished_at) < REMEMBERED_MILLISECONDS;
}
