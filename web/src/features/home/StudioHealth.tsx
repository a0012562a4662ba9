/** Whether the studio answers, and what it holds. */
import { Group, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { healthQuery, sizeOf, type BaseEntry, type Run } from '../../api/queries';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Collection } from './queries';
import classes from './StudioHealth.module.css';

interface Props {
  models: readonly BaseEntry[];
  runs: readonly Run[];
  collections: readonly Collection[];
  sets: number;
}

export function StudioHealth({ models, runs, collections, sets }: Props) {
  const { home } = useWords();
  const format = useFormat();
  const { data, error } = useQuery(healthQuery);
  const bytes = models
    .flatMap(({ base, adapters }) => [base, ...adapters])
    .reduce((sum, one) => sum + sizeOf(one), 0);
  const facts = [
    [home.bases, format.count(models.length)],
    [home.variants, format.count(models.reduce((sum, entry) => sum + entry.variants.length, 0))],
    [home.sets, format.count(sets)],
    [home.runs, format.count(runs.filter((run) => run.job.state === 'succeeded').length)],
    [home.documents, format.count(collections.reduce((sum, one) => sum + one.documents - one.failed, 0))],
    [home.disk, format.bytes(bytes)],
    [home.version, data?.version || '–'],
  ] as const;
  return (
    <section>
      <Group gap="sm" mb="sm">
        <Title order={2} size="h4">
          {home.health}
        </Title>
        <Text size="sm" c="dimmed" role="status">
          <span className={classes.light} data-well={data !== undefined && !error} aria-hidden />
          {data && !error ? home.healthy : home.checking}
        </Text>
      </Group>
      {error && <ProblemAlert error={error} />}
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="figures">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
