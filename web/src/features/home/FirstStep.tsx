/** For a studio without any model: the one thing to do, and how far it is. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';

import { useIsAdmin } from '../../api/me';
import { isOver, type Job } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { STARTER, usePull } from './pull';

export function FirstStep({ jobs }: { jobs: readonly Job[] }) {
  const { home } = useWords();
  const isAdmin = useIsAdmin();
  const pull = usePull();
  // Found again after a reload, whatever it fetches and whoever started it.
  const newest = jobs.find((job) => job.kind === 'pull');
  const shown = newest && newest.state !== 'succeeded' ? newest : undefined;
  const busy = shown !== undefined && !isOver(shown.state);
  return (
    <section className="card">
      <Stack gap="md">
        <div>
          <Title order={2} size="h4">
            {home.firstTitle}
          </Title>
          <Text c="dimmed" mt={4}>
            {isAdmin ? home.firstHint : home.firstUser}
          </Text>
        </div>
        {shown && (
          <JobProgress
            key={shown.id}
            id={shown.id}
            // The starter has its own button below.
            again={
              isAdmin && shown.args['source'] !== STARTER
                ? (job) => pull.mutate(String(job.args['source']))
                : undefined
            }
            pending={pull.isPending}
          />
        )}
        {pull.error && <ProblemAlert error={pull.error} />}
        {isAdmin && !busy && (
          <Group>
            <Button
              size="md"
              leftSection={<IconDownload size={18} aria-hidden />}
              onClick={() => pull.mutate(STARTER)}
              loading={pull.isPending}
            >
              {home.firstButton}
            </Button>
            <AnchorLink to="/models">{home.otherModel}</AnchorLink>
          </Group>
        )}
      </Stack>
    </section>
  );
}
