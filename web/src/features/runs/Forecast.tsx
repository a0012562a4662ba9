/** What the run would take, asked before it is started: time and memory here and elsewhere, and what would fit. */
import { Alert, Badge, Button, Group, List, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { useJob } from '../../api/jobs';
import type { Job, Run } from '../../api/queries';
import type { components } from '../../client/schema';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords, type Words } from '../../words';
import { useFormat, type Format } from '../../words/format';
import type { Draft } from './recipe';

type Found = components['schemas']['Forecast'];
type OnDevice = components['schemas']['DeviceForecast'];

interface Asked {
  recipe: Draft & { base: string; name: string };
  /** Null where the recipe names a data set. */
  data: string | null;
}

/** Why a run had better not be started here as it is: it does not fit, or it would take days. */
export interface Doubt {
  kind: 'memory' | 'days' | 'pretraining';
  here: OnDevice;
}

/** The forecast of a run as it is asked for at this moment; `doubt` as long as it is not outdated. */
export function useForecast({ recipe, data }: Asked) {
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
  const { job } = useJob(asked?.id);
  const isOutdated = asked !== null && (asked.recipe !== now || asked.data !== data);
  return { ask, id: asked?.id, isOutdated, doubt: isOutdated ? null : doubtOf(job?.result) };
}

export function doubtOf(result: Job['result'] | undefined): Doubt | null {
  const here = (result as Found | null | undefined)?.devices.find(({ device }) => device === 'here');
  if (!here) return null;
  if (!here.fits) return { kind: 'memory', here };
  return here.plan && { kind: here.plan, here };
}

interface Props {
  forecast: ReturnType<typeof useForecast>;
  ready: boolean;
  /** How many runs are started at once, each as it is forecast. */
  runs: number;
  /** Fields of the recipe with which it would fit. */
  onTake: (changes: Record<string, unknown>) => void;
}

export function Forecast({ forecast: { ask, id, isOutdated }, ready, runs, onTake }: Props) {
  const words = useWords().forecast;
  const format = useFormat();
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Title order={3} size="h5">
            {words.title}
          </Title>
          <Text c="dimmed" size="sm">
            {words.hint} {runs > 1 && words.ofEach(format.count(runs))}
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
      {isOutdated && (
        <Text size="sm" c="dimmed" role="status">
          {words.outdated}
        </Text>
      )}
      {id !== undefined && (
        <JobProgress
          key={id}
          id={id}
          done={(job) => <Shown result={job.result} onTake={onTake} />}
          again={() => ask.mutate()}
          pending={ask.isPending}
        />
      )}
    </Stack>
  );
}

/** Beside the press that starts it: why it had better not be, and that it can be all the same. */
export function DoubtAlert({ doubt: { kind, here } }: { doubt: Doubt }) {
  const words = useWords().forecast;
  const format = useFormat();
  return (
    <Alert
      color={kind === 'memory' ? 'red' : 'yellow'}
      radius="lg"
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title={
        kind === 'memory'
          ? words.refused(format.bytes(here.peak_bytes), format.bytes(here.capacity_bytes))
          : planText(here, words.here, words, format)
      }
    >
      <Text size="sm">{kind === 'memory' ? words.refusedHint : words.longHint}</Text>
    </Alert>
  );
}

function planText({ plan, days }: OnDevice, name: string, words: Words['forecast'], format: Format): string {
  return (plan === 'pretraining' ? words.pretraining : words.long)(
    name,
    format.decimal(days ?? 0, plan === 'pretraining' ? 0 : 1),
  );
}

function Shown({ result, onTake }: { result: Job['result']; onTake: Props['onTake'] }) {
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
      <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
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
              {planText(one, nameOf(one), words, format)}{' '}
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
                  {changed(remedy.changes)} → {format.bytes(remedy.peak_bytes)}
                  {remedy.rows_left_out > 0 && ` (${words.leftOut(count(remedy.rows_left_out))})`}{' '}
                  <Button
                    variant="subtle"
                    size="compact-xs"
                    onClick={() => onTake(remedy.changes)}
                    aria-label={`${words.take}: ${changed(remedy.changes)}`}
                  >
                    {words.take}
                  </Button>
                </List.Item>
              ))}
            </List>
          </div>
        ),
      )}
    </Stack>
  );
}

const changed = (changes: Record<string, unknown>) =>
  Object.entries(changes)
    .map(([field, value]) => `${field}: ${String(value)}`)
    .join(', ');

function timeOf(seconds: number | null, format: Format, days: (days: string) => string): string {
  if (seconds === null) return '–';
  return seconds < 129_600 ? format.duration(seconds) : days(format.decimal(seconds / 86_400, 1));
}
