/** What each cell does: all are turned off one after the other, on samples that somebody brings. */
import { Button, Group, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { askedOf, isComplete, NO_MATERIAL } from '../runs/material';
import { MaterialFields } from '../runs/MaterialFields';
import { EffectMap } from './EffectMap';
import type { Layout } from './board';

/** Those of one variant, the newest first. */
const effectsQuery = (variant: string) =>
  queryOptions({
    queryKey: ['jobs', 'effect', variant],
    queryFn: async () => {
      const jobs = body(await api.GET('/api/jobs', { params: { query: { kind: 'effect', limit: 200 } } }));
      return jobs.filter((job) => job.args['variant'] === variant);
    },
  });

export function EffectPart({ variant, layout }: { variant: string; layout: Layout }) {
  const { board: words, runs } = useWords();
  const format = useFormat();
  const [material, setMaterial] = useState(NO_MATERIAL);
  const [chosen, setChosen] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const { data: looks = [], isPending } = useQuery(effectsQuery(variant));
  const look = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/evaluation/effects', {
          body: {
            variant,
            ...askedOf(material),
            to: 0,
            max_tokens: 0,
          },
        }),
      ),
    onSuccess: async (job) => {
      setChosen(job.id);
      setAsking(false);
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const shown = chosen ?? looks[0]?.id;
  const opened = asking || (shown === undefined && !isPending);
  return (
    <section className="card">
      <Stack>
        <Group justify="space-between" align="flex-start">
          <div>
            <Title order={2} size="h4">
              {words.effect.title}
            </Title>
            <Text c="dimmed" size="sm" mt={4}>
              {words.effect.hint}
            </Text>
          </div>
          {looks.length > 1 && shown !== undefined && (
            <NativeSelect
              size="xs"
              aria-label={runs.score.earlier}
              value={shown}
              onChange={(event) => setChosen(event.currentTarget.value)}
              data={looks.map((job) => ({ value: job.id, label: format.moment(job.created_at) }))}
            />
          )}
        </Group>
        {shown !== undefined && (
          <JobProgress
            key={shown}
            id={shown}
            done={(job) => <EffectMap result={job.result} layout={layout} />}
          />
        )}
        {opened ? (
          <>
            <MaterialFields material={material} onChange={setMaterial} />
            {look.error && <ProblemAlert error={look.error} />}
            <Group>
              <Button onClick={() => look.mutate()} loading={look.isPending} disabled={!isComplete(material)}>
                {words.effect.start}
              </Button>
            </Group>
          </>
        ) : (
          <Group>
            <Button variant="default" onClick={() => setAsking(true)}>
              {words.effect.again}
            </Button>
          </Group>
        )}
      </Stack>
    </section>
  );
}
