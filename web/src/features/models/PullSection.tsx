/** Fetch a base: what is being fetched, two good first ones in one press each, and any other by its address. */
import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { isOver, jobsQuery, type BaseEntry } from '../../api/queries';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { PullForm } from './PullForm';
import { PullProgress } from './PullProgress';
import { shownPulls, usePull } from './pulls';
import { Suggested } from './Suggested';

export function PullSection({ models }: { models: readonly BaseEntry[] }) {
  const { pull: words } = useWords().models;
  const [started, setStarted] = useState<ReadonlySet<string>>(new Set());
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const { data: jobs = [], dataUpdatedAt: now } = useQuery(jobsQuery);
  const pull = usePull((id) => setStarted((before) => new Set(before).add(id)));
  const shown = shownPulls(jobs, { started, dismissed, now });
  const busy = shown.filter((job) => !isOver(job.state));
  // Whoever has seen one go on is told how it ended, also when it was started elsewhere or before a reload.
  if (busy.some(({ id }) => !started.has(id))) setStarted(new Set([...started, ...busy.map(({ id }) => id)]));
  return (
    <section className="card" aria-labelledby="pull">
      <Stack gap="lg">
        <div>
          <Title order={2} size="h4" id="pull">
            {words.title}
          </Title>
          <Text c="dimmed" size="sm" mt={4}>
            {words.hint}
          </Text>
        </div>
        {shown.map((job) => (
          <PullProgress
            key={job.id}
            id={job.id}
            again={(asked) => pull.mutate(asked)}
            pending={pull.isPending}
            onDismiss={() => setDismissed((before) => new Set(before).add(job.id))}
          />
        ))}
        <Suggested
          models={models}
          fetching={busy.map((job) => String(job.args['source']))}
          onFetch={(source) => pull.mutate({ source })}
          pending={pull.isPending}
        />
        {pull.error && <ProblemAlert error={pull.error} />}
        <PullForm
          onFetch={(asked, done) => pull.mutate(asked, { onSuccess: done })}
          onEdit={pull.error ? pull.reset : undefined}
          pending={pull.isPending}
        />
      </Stack>
    </section>
  );
}
