/** How sensitive the base is to each cell on samples that somebody brings, and the board that follows from it. */
import { Button, Group, NativeSelect, NumberInput, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import type { Job } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { dataSetsQuery } from '../runs/queries';
import { NO_SAMPLES, SamplesInput } from '../runs/SamplesInput';
import { SuggestedBoard } from './SuggestedBoard';

interface Props {
  /** The name of the base. */
  base: string;
  looks: readonly Job[];
  /** The id of the measurement that is shown. */
  shown: string | undefined;
  onShow: (id: string) => void;
}

const SAMPLES = 64;
const RANK = 16;

export function SensitivityPart({ base, looks, shown, onShow }: Props) {
  const { map, runs } = useWords();
  const words = map.sensitivity;
  const format = useFormat();
  const sets = useQuery(dataSetsQuery).data ?? [];
  const [dataId, setDataId] = useState('');
  const [samples, setSamples] = useState(NO_SAMPLES);
  const [count, setCount] = useState(SAMPLES);
  const [rank, setRank] = useState(RANK);
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const measure = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/models/{name}/map/sensitivity', {
          params: { path: { name: base } },
          body: {
            ...(dataId ? { data_id: dataId } : { data: samples.text }),
            samples: count,
            rank,
            // As loud as the recipe's own default: twice the rank.
            alpha: 2 * rank,
            seed: 0,
            freeze_below: 0.1,
            too_long: 'truncate',
            precision: 'auto',
          },
        }),
      ),
    onSuccess: async (job) => {
      onShow(job.id);
      setAsking(false);
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const opened = asking || shown === undefined;
  return (
    <section className="card">
      <Stack>
        <Group justify="space-between" align="flex-start">
          <div>
            <Title order={2} size="h4">
              {words.title}
            </Title>
            <Text c="dimmed" size="sm" mt={4} maw="46rem">
              {words.hint}
            </Text>
          </div>
          {looks.length > 1 && shown !== undefined && (
            <NativeSelect
              size="xs"
              aria-label={words.earlier}
              value={shown}
              onChange={(event) => onShow(event.currentTarget.value)}
              data={looks.map((job) => ({ value: job.id, label: format.moment(job.created_at) }))}
            />
          )}
        </Group>
        {shown !== undefined && (
          <JobProgress
            key={shown}
            id={shown}
            done={(job) => <SuggestedBoard id={job.id} result={job.result} />}
          />
        )}
        {opened ? (
          <>
            {sets.length > 0 && (
              <NativeSelect
                label={runs.form.from}
                value={dataId}
                onChange={(event) => setDataId(event.currentTarget.value)}
                data={[
                  { value: '', label: runs.form.ownRows },
                  ...sets.map(({ id, name }) => ({ value: id, label: name })),
                ]}
              />
            )}
            {dataId === '' && (
              <SamplesInput
                label={runs.form.data}
                hint={words.dataHint}
                kind="messages"
                samples={samples}
                onChange={setSamples}
                required
              />
            )}
            <Group align="flex-start">
              <NumberInput
                label={words.count}
                description={words.countHint}
                inputWrapperOrder={['label', 'input', 'description']}
                value={count}
                onChange={(value) => typeof value === 'number' && setCount(value)}
                min={1}
                max={4096}
                allowDecimal={false}
                w={220}
              />
              <NumberInput
                label={map.rank}
                description={words.rankHint}
                inputWrapperOrder={['label', 'input', 'description']}
                value={rank}
                onChange={(value) => typeof value === 'number' && setRank(value)}
                min={1}
                max={512}
                allowDecimal={false}
                w={220}
              />
            </Group>
            {measure.error && <ProblemAlert error={measure.error} />}
            <Group>
              <Button
                onClick={() => measure.mutate()}
                loading={measure.isPending}
                disabled={dataId === '' && samples.text.trim() === ''}
              >
                {words.start}
              </Button>
            </Group>
          </>
        ) : (
          <Group>
            <Button variant="default" onClick={() => setAsking(true)}>
              {words.again}
            </Button>
          </Group>
        )}
      </Stack>
    </section>
  );
}
