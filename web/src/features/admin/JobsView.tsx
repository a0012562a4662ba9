/** `/admin/jobs`: long work, whoever started it: running jobs with their progress, then those that are over. */
import { Stack, Text } from '@mantine/core';
import { IconListCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';

import { isOver, jobsQuery, type Job } from '../../api/queries';
import { EmptyState } from '../../ui/EmptyState';
import { JobCard, subjectOf, useJobKind } from '../../ui/JobCard';
import { JobState } from '../../ui/JobState';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './Jobs.module.css';
import { Section } from './Section';

export function JobsView() {
  const { admin: words } = useWords();
  const { data: jobs, error } = useQuery(jobsQuery);
  const active = (jobs ?? []).filter((job) => !isOver(job.state));
  const over = (jobs ?? []).filter((job) => isOver(job.state));
  return (
    <Section title={words.jobs} lead={words.jobsHint}>
      {error ? <ProblemAlert error={error} /> : !jobs && <Loading rows={3} height={48} />}
      {jobs?.length === 0 && (
        <EmptyState icon={<IconListCheck size={28} />} title={words.noJobs} hint={words.noJobsHint} />
      )}
      <Stack gap="sm">
        {active.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
        {over.length > 0 && (
          <ul className={classes.jobs}>
            {over.map((job) => (
              <Row key={job.id} job={job} />
            ))}
          </ul>
        )}
      </Stack>
    </Section>
  );
}

function Row({ job }: { job: Job }) {
  const format = useFormat();
  const kind = useJobKind(job);
  const detail: unknown = job.error?.['detail'];
  return (
    <li>
      <JobState state={job.state} />
      <span className={`${classes.what ?? ''} words`}>
        {kind}{' '}
        <Text span c="dimmed">
          {subjectOf(job)}
        </Text>
        {typeof detail === 'string' && (
          <Text size="sm" c="var(--mantine-color-error)">
            {detail}
          </Text>
        )}
      </span>
      <Text size="sm" c="dimmed" className="figures">
        {format.moment(job.created_at)}
      </Text>
    </li>
  );
}
