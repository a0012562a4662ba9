/** Something measured of a variant on rows that are brought or a set of the studio: what has been, and the form for more. */
import { Button, Group, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { api, body } from '../../api/client';
import type { Job } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { askedOf, isComplete, NO_MATERIAL } from './material';
import { MaterialFields } from './MaterialFields';

type Kind = 'score' | 'effect';

/** Those of one variant, the newest first. */
const evaluationsQuery = (kind: Kind, variant: string) =>
  queryOptions({
    queryKey: ['jobs', kind, variant],
    queryFn: async () => {
      const jobs = body(await api.GET('/api/jobs', { params: { query: { kind, limit: 200 } } }));
      return jobs.filter((job) => job.args['variant'] === variant);
    },
  });

interface Props {
  kind: Kind;
  variant: string;
  title: string;
  hint: string;
  submit: string;
  again: string;
  /** Whether what else there is to choose is chosen. */
  ready?: boolean;
  onAsk: (asked: ReturnType<typeof askedOf>) => Promise<Job>;
  /** What a measurement has found. */
  done: (job: Job) => ReactNode;
  /** What else there is to choose. */
  children?: ReactNode;
}

export function Evaluation(props: Props) {
  const { kind, variant, title, hint, submit, again, ready = true, onAsk, done, children } = props;
  const { score: words } = useWords().runs;
  const format = useFormat();
  const [material, setMaterial] = useState(NO_MATERIAL);
  const [chosen, setChosen] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const { data: earlier = [], isPending } = useQuery(evaluationsQuery(kind, variant));
  const ask = useMutation({
    mutationFn: () => onAsk(askedOf(material)),
    onSuccess: async (job) => {
      setChosen(job.id);
      setAsking(false);
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const shown = chosen ?? earlier[0]?.id;
  const opened = asking || (shown === undefined && !isPending);
  return (
    <section className="card">
      <Stack>
        <Group justify="space-between" align="flex-start">
          <div>
            <Title order={2} size="h4">
              {title}
            </Title>
            <Text c="dimmed" size="sm" mt={4}>
              {hint}
            </Text>
          </div>
          {earlier.length > 1 && shown !== undefined && (
            <NativeSelect
              size="xs"
              aria-label={words.earlier}
              value={shown}
              onChange={(event) => setChosen(event.currentTarget.value)}
              data={earlier.map((job) => ({ value: job.id, label: format.moment(job.created_at) }))}
            />
          )}
        </Group>
        {shown !== undefined && <JobProgress key={shown} id={shown} done={done} />}
        {!opened && !isPending && (
          <Group>
            <Button variant="default" onClick={() => setAsking(true)}>
              {again}
            </Button>
          </Group>
        )}
        {opened && (
          <>
            <MaterialFields
              material={material}
              onChange={(next) => {
                setMaterial(next);
                if (ask.error) ask.reset();
              }}
            />
            {children}
            {ask.error && <ProblemAlert error={ask.error} />}
            <Group>
              <Button
                variant="default"
                loading={ask.isPending}
                disabled={!(isComplete(material) && ready)}
                onClick={() => ask.mutate()}
              >
                {submit}
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </section>
  );
}
