/** What the run would take, asked before it is started: time and memory here and elsewhere, and what would fit. */
import { Alert, Badge, Button, Group, List, Stack, Table, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import type { Job, Run } from '../../api/queries';
import type { components } from '../../client/schema';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat, type Format } from '../../words/format';
import type { Draft } from './recipe';

type Found = components['schemas']['Forecast'];
type OnDevice = components['schemas']['DeviceForecast'];

interface Props {
  recipe: Draft & { base: string; name: string };
  /** Null where the recipe names a data set. */
  data: string | null;
  ready: boolean;
}

export function Forecast({ recipe, data, ready }: Props) {
  const words = useWords().forecast;
  const client = useQueryClient();
  const now = JSON.stringify(recipe);
  const [asked, setAsked] = useState<{ id: string; recipe: string; data: string | null } | null>(null);
  const ask = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/training/runs/estimate', {
          // The generated type asks for fields that have defaults; the studio does not.
          body: { recipe: recipe as Run['recipe'], data, devices: [] },
        }),
      ),
    onSuccess: async (job) => {
      setAsked({ id: job.id, recipe: now, data });
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const outdated = asked !== null && (asked.recipe !== now || asked.data !== data);
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Title order={3} size="h5">
            {words.title}
          </Title>
          <Text c="dimmed" size="sm">
            {words.hint}
          </Text>
        </div>
        <Button
          variant="default"
          flex="none"
          disabled={!ready}
          loading={ask.isPending}
          onClick={() => ask.mutate()}
        >
          {words.submit}
        </Button>
      </Group>
      {ask.error && <ProblemAlert error={ask.error} />}
      {outdated && (
        <Text size="sm" c="dimmed" role="status">
          {words.outdated}
        </Text>
      )}
      {asked && (
        <JobProgress
          key={asked.id}
          id={asked.id}
          done={(job) => <Shown result={job.result} />}
          again={() => ask.mutate()}
          pending={ask.isPending}
        />
      )}
    </Stack>
  );
}

function Shown({ result }: { result: Job['result'] }) {
  const words = useWords().forecast;
  const format = useFormat();
  // The schema of a job's result stands beside it in the API's document.
  const found = result as Found | null;
  if (!found) return null;
  const { count } = format;
  const nameOf = (one: OnDevice) => (one.device === 'here' ? words.here : one.name);
  return (
    <Stack gap="sm">
      <Text size="sm" className="figures">
        {words.summary(count(found.rows), count(found.steps), count(found.tokens))}
      </Text>
      <Table.ScrollContainer minWidth={480}>
        <Table className="figures" aria-label={words.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.device}</Table.Th>
              <Table.Th>{words.precision}</Table.Th>
              <Table.Th>{words.processor}</Table.Th>
              <Table.Th>{words.clock}</Table.Th>
              <Table.Th>{words.memory}</Table.Th>
              <Table.Th>{words.fits}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.devices.map((one) => (
              <Table.Tr key={one.device}>
                <Table.Th scope="row" fw={500}>
                  {nameOf(one)}
                </Table.Th>
                <Table.Td>{one.precision}</Table.Td>
                <Table.Td>{timeOf(one.measured ? one.seconds : null, format, words.days)}</Table.Td>
                <Table.Td>{timeOf(one.clock_seconds, format, words.days)}</Table.Td>
                <Table.Td>
                  {words.of(format.bytes(one.peak_bytes), format.bytes(one.capacity_bytes))}
                </Table.Td>
                <Table.Td>
                  <Badge variant="outline" color={one.fits ? 'teal' : 'red'} tt="none">
                    {one.fits ? words.fits : words.tooLarge}
                  </Badge>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {found.devices.map((one) =>
        one.fits ? (
          one.plan && (
            <Alert key={one.device} color="yellow" variant="light">
              {(one.plan === 'pretraining' ? words.pretraining : words.long)(
                nameOf(one),
                format.decimal(one.days ?? 0, one.plan === 'pretraining' ? 0 : 1),
              )}{' '}
              {words.oneDay(count(one.rows_in_a_day ?? 0), count(found.rows))}
            </Alert>
          )
        ) : (
          <div key={one.device}>
            <Text size="sm" fw={500}>
              {words.wouldFit(nameOf(one))}
            </Text>
            {one.remedies.length === 0 && <Text size="sm">{words.nothing}</Text>}
            <List size="sm" className="figures">
              {one.remedies.map((remedy) => (
                <List.Item key={JSON.stringify(remedy.changes)}>
                  {Object.entries(remedy.changes)
                    .map(([field, value]) => `${field}: ${String(value)}`)
                    .join(', ')}{' '}
                  → {format.bytes(remedy.peak_bytes)}
                  {remedy.rows_left_out > 0 && ` (${words.leftOut(count(remedy.rows_left_out))})`}
                </List.Item>
              ))}
            </List>
          </div>
        ),
      )}
    </Stack>
  );
}

function timeOf(seconds: number | null, format: Format, days: (days: string) => string): string {
  if (seconds === null) return '–';
  return seconds < 129_600 ? format.duration(seconds) : days(format.decimal(seconds / 86_400, 1));
}
