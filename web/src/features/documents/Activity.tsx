/** What is being sent, taken in and embedded, and how it ended. */
import { Stack, Title } from '@mantine/core';

import { useWords } from '../../words';
import { useActivity } from './activity';
import { JobReport } from './JobReport';
import type { Collection } from './queries';
import { UploadCard } from './UploadCard';
import { useUploads } from './uploads';

interface Props {
  /** Only what is about it; otherwise everything. */
  collection?: Collection;
  /** Sends an upload once more. */
  again: (upload: number) => void;
}

export function Activity({ collection, again }: Props) {
  const { job: words } = useWords().documents;
  const uploads = useUploads().filter((one) => !collection || one.collection === collection.name);
  const { jobs } = useActivity(collection);
  if (uploads.length === 0 && jobs.length === 0) return null;
  return (
    <section aria-label={words.going}>
      <Title order={2} size="h4" mb="sm">
        {words.going}
      </Title>
      <Stack gap="sm">
        {uploads.map((one) => (
          <UploadCard key={one.id} upload={one} again={() => again(one.id)} />
        ))}
        {jobs.map((job) => (
          <JobReport key={job.id} job={job} within={collection} />
        ))}
      </Stack>
    </section>
  );
}
