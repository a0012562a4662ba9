/** Ask the finished variant what it was not trained on, at several gains; the scores that it has already. */
import { Button, Chip, Collapse, Group, NativeSelect, Stack, Switch, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { scoresQuery } from './queries';
import { NO_SAMPLES, SamplesInput } from './SamplesInput';
import { ScoreTable } from './ScoreTable';

const GAINS = ['0', '0.25', '0.5', '0.75', '1', '1.25', '1.5'];
const MAX_TOKENS = 64;

export function ScoreForm({ variant }: { variant: string }) {
  const words = useWords().runs.score;
  const format = useFormat();
  const [samples, setSamples] = useState(NO_SAMPLES);
  const [general, setGeneral] = useState(NO_SAMPLES);
  const [withGeneral, { toggle }] = useDisclosure();
  const [gains, setGains] = useState(['0', '0.5', '1']);
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
            samples: samples.text,
            general: withGeneral ? general.text : '',
            gains: gains.map(Number).sort((a, b) => a - b),
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
  const shown = chosen ?? scores[0]?.id;
  const opened = asking || (shown === undefined && !isPending);
  const edit =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      set(value);
      if (score.error) score.reset();
    };
  const ready =
    samples.text.trim() !== '' && gains.length > 0 && (!withGeneral || general.text.trim() !== '');
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
            <SamplesInput
              label={words.samples}
              hint={words.samplesHint}
              kind="keyed"
              samples={samples}
              onChange={edit(setSamples)}
              required
            />
            <div>
              <Switch label={words.general} checked={withGeneral} onChange={toggle} />
              <Collapse expanded={withGeneral} pt="sm">
                <SamplesInput
                  label={words.generalLabel}
                  hint={words.generalHint}
                  kind="texts"
                  samples={general}
                  onChange={edit(setGeneral)}
                  required
                />
              </Collapse>
            </div>
            <fieldset className="plain">
              <Text component="legend" size="sm" fw={500} mb={6}>
                {words.gains}
              </Text>
              <Chip.Group multiple value={gains} onChange={edit(setGains)}>
                <Group gap={6}>
                  {GAINS.map((gain) => (
                    <Chip key={gain} value={gain} size="sm" variant="outline">
                      {format.significant(Number(gain))}
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
                disabled={!ready}
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
