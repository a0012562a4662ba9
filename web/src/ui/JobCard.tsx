/** A job that is going on, with a link to where it belongs. */
import { Group, Stack, Text } from '@mantine/core';

import type { Job } from '../api/queries';
import { AnchorLink } from './links';
import { useWords } from '../words';
import { JobProgress } from './JobProgress';

export function JobCard({ job }: { job: Job }) {
  const subject = subjectOf(job);
  const name = useJobKind(job);
  return (
    <Stack gap="xs" className="card">
      <Group gap="xs">
        {job.kind === 'train' ? (
          <AnchorLink to="/runs/$runId" params={{ runId: job.id }} fw={600}>
            {name}
          </AnchorLink>
        ) : job.kind === 'ingest' || job.kind === 'embed' ? (
          <AnchorLink to="/documents" fw={600}>
            {name}
          </AnchorLink>
        ) : job.kind === 'data' ? (
          <AnchorLink to="/data" fw={600}>
            {name}
          </AnchorLink>
        ) : (
          <Text fw={600}>{name}</Text>
        )}
        {subject && (
          <Text c="dimmed" className="words">
            {subject}
          </Text>
        )}
      </Group>
      <JobProgress id={job.id} />
    </Stack>
  );
}

export function useJobKind(job: Job): string {
  const { jobs } = useWords();
  const kinds: Record<string, string> = jobs.kinds;
  return kinds[job.kind] ?? job.kind;
}

/** What a job is about: the variant, the source, whatever its arguments name first. */
export function subjectOf(job: Job): string {
  const recipe = job.args['recipe'];
  const fields = typeof recipe === 'object' && recipe !== null ? { ...recipe } : job.args;
  for (const key of ['name', 'variant', 'source', 'path']) {
    const value: unknown = (fields as Record<string, unknown>)[key];
    if (typeof value === 'string') return value;
  }
  for (const key of ['uploads', 'urls']) {
    const value: unknown = (fields as Record<string, unknown>)[key];
    if (Array.isArray(value) && value.length > 0)
      return value.length > 1 ? `${value[0]} …` : String(value[0]);
  }
  return '';
}
