/** For who reads Korean in a studio whose models do not: the model that does, in one press. */
import { Button, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';

import { useIsAdmin } from '../../api/me';
import { isOver, type BaseEntry, type Job } from '../../api/queries';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useSpeech } from '../../words';
import classes from './KoreanHint.module.css';
import { MIDM, STARTER, usePull } from './pull';

export function KoreanHint({ models, jobs }: { models: readonly BaseEntry[]; jobs: readonly Job[] }) {
  const { language, words } = useSpeech();
  const { home } = words;
  const isAdmin = useIsAdmin();
  const pull = usePull();
  // Whoever has brought a model of their own knows what it speaks.
  const onlyStarter = models.every(({ base }) => base.source === STARTER);
  const coming = jobs.some((job) => job.args['source'] === MIDM && !isOver(job.state));
  if (language !== 'ko' || !isAdmin || !onlyStarter || coming) return null;
  return (
    <section className={`card ${classes.hint ?? ''}`}>
      <div>
        <Title order={2} size="h5">
          {home.korean}
        </Title>
        <Text size="sm" c="dimmed" mt={2}>
          {home.koreanHint}
        </Text>
      </div>
      <Button
        variant="default"
        leftSection={<IconDownload size={16} aria-hidden />}
        onClick={() => pull.mutate(MIDM)}
        loading={pull.isPending}
      >
        {home.koreanButton}
      </Button>
      {pull.error && <ProblemAlert error={pull.error} />}
    </section>
  );
}
