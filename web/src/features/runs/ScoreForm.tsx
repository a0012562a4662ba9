/** Ask a variant what it was not trained on, at several settings; the scores that it has already. */
import { Button, Chip, Group, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { askedOf, isComplete, NO_MATERIAL } from './material';
import { MaterialFields } from './MaterialFields';
import { scoresQuery } from './queries';
import { ScoreTable } from './ScoreTable';

const GAINS = ['0', '0.25', '0.5', '0.75', '1', '1.25', '1.5'];
/** The variant as it is, and the board that is being turned. */
const [OWN, BOARD] = ['own', 'board'];
const MAX_TOKENS = 64;

interface Props {
  variant: string;
  board?: components['schemas']['Board'];
}

export function ScoreForm({ variant, board }: Props) {
  const words = useWords().runs.score;
  const format = useFormat();
  const [material, setMaterial] = useState(NO_MATERIAL);
  const [settings, setSettings] = useState(board ? ['0', BOARD] : ['0', '0.5', '1']);
  const [chosen, setChosen] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const { data: scores = [], isPending } = useQuery(scoresQuery(variant));
  const score = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/evaluation/scores', {
          body: {
            variant,
            ...askedOf(material),
            gains: choices
              .filter(({ value }) => settings.includes(value))
              .map(({ value }) => (value === BOARD ? board : value === OWN ? OWN : Number(value))),
            max_tokens: MAX_TOKENS,
          },
        }),
      ),
    onSuccess: async (job) => {
      setChosen(job.id);
      setAsking(false);
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const choices = [
    ...GAINS.map((gain) => ({ value: gain, label: format.significant(Number(gain)) })),
    ...(board
      ? [
          { value: OWN, label: words.own },
          { value: BOARD, label: words.thisBoard },
        ]
      : []),
  ];
  const shown = chosen ?? scores[0]?.id;
  const opened = asking || (shown === undefined && !isPending);
  const edit =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      set(value);
      if (score.error) score.reset();
    };
  return (
    <section className="card">
      <Stack>
        <Group justify="space-between" align="flex-start">
          <div>
            <Title order={2} size="h4">
              {words.title}
            </Title>
            <Text c="dimmed" size="sm" mt={4}>
              {words.hint}
            </Text>
          </div>
          {scores.length > 1 && shown !== undefined && (
            <NativeSelect
              size="xs"
              aria-label={words.earlier}
              value={shown}
              onChange={(event) => setChosen(event.currentTarget.value)}
              data={scores.map((job) => ({ value: job.id, label: format.moment(job.created_at) }))}
            />
          )}
        </Group>
        {shown !== undefined && (
          <JobProgress key={shown} id={shown} done={(job) => <ScoreTable result={job.result} />} />
        )}
        {!opened && !isPending && (
          <Group>
            <Button variant="default" onClick={() => setAsking(true)}>
              {words.again}
            </Button>
          </Group>
        )}
        {opened && (
          <>
            <MaterialFields material={material} onChange={edit(setMaterial)} />
            <fieldset className="plain">
              <Text component="legend" size="sm" fw={500} mb={6}>
                {words.gains}
              </Text>
              <Chip.Group multiple value={settings} onChange={edit(setSettings)}>
                <Group gap={6}>
                  {choices.map(({ value, label }) => (
                    <Chip key={value} value={value} size="sm" variant="outline">
                      {label}
                    </Chip>
                  ))}
                </Group>
              </Chip.Group>
            </fieldset>
            {score.error && <ProblemAlert error={score.error} />}
            <Group>
              <Button
                variant="default"
                loading={score.isPending}
                disabled={!isComplete(material) || settings.length === 0}
                onClick={() => score.mutate()}
              >
                {words.submit}
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </section>
  );
}
