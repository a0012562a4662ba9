/** A job from its id: how far it is, how fast, how to stop it, what went wrong and how to try again. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';

import { jobError, useCancelJob, useJob } from '../api/jobs';
import { isOver, type Job } from '../api/queries';
import { useFormat } from '../words/format';
import { useWords, type Words } from '../words';
import { ConfirmButton } from './ConfirmButton';
import { ProblemAlert } from './ProblemAlert';
import { extend, rateOf, type Sample } from './rate';
import { Track } from './Track';

interface Props {
  id: string;
  done?: (job: Job) => ReactNode;
  /** Starts the same once more; offered where the job failed or was cancelled. */
  again?: ((job: Job) => void) | undefined;
  pending?: boolean;
}

export function JobProgress({ id, done, again, pending = false }: Props) {
  const { shell, jobs } = useWords();
  const { job, error, at } = useJob(id);
  if (error && !job) return <ProblemAlert error={error} />;
  if (!job) return <Track fraction={undefined} label={jobs.loading} />;
  const retry = again && (() => again(job));
  if (job.state === 'failed') return <ProblemAlert error={jobError(job)} again={retry} pending={pending} />;
  if (job.state === 'succeeded') return done?.(job);
  if (!isOver(job.state)) return <Running job={job} at={at} />;
  return (
    <Group gap="sm">
      <Text c="dimmed" size="sm" role="status">
        {jobs.states.cancelled}
      </Text>
      {retry && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconRefresh size={14} aria-hidden />}
          onClick={retry}
          loading={pending}
        >
          {shell.again}
        </Button>
      )}
    </Group>
  );
}

function Running({ job, at }: { job: Job; at: number }) {
  const { jobs } = useWords();
  const cancel = useCancelJob(job.id);
  const speed = [...useSpeed(job, at), ...useCounts(job)];
  const what = stageOf(job, jobs);
  const { file } = job.progress;
  const hints: Record<string, string> = jobs.cancelHints;
  return (
    <Stack gap={6}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text size="sm" miw={0} className="words">
          <span role="status">{what}</span>
          <Text span c="dimmed" size="sm" className="figures">
            {speed.map((part) => ` · ${part}`).join('')}
          </Text>
        </Text>
        <ConfirmButton
          size="compact-sm"
          title={jobs.cancelTitle}
          hint={hints[job.kind] ?? jobs.cancelHint}
          confirm={jobs.cancel}
          dismiss={jobs.keepGoing}
          onConfirm={() => cancel.mutate()}
          loading={cancel.isPending}
        >
          {jobs.cancel}
        </ConfirmButton>
      </Group>
      <Track fraction={readProgress(job).fraction} label={jobs.progress(what)} />
      {typeof file === 'string' && file !== '' && (
        <Text size="sm" c="dimmed" truncate title={file}>
          {file}
        </Text>
      )}
      {cancel.error && <ProblemAlert error={cancel.error} />}
    </Stack>
  );
}

/** What has arrived, how fast it comes, how long it will take: as far as that is known. */
function useSpeed(job: Job, at: number): string[] {
  const { jobs } = useWords();
  const format = useFormat();
  const { bytes, total_bytes: total } = readProgress(job);
  const stage = String(job.progress['stage']);
  const [heard, setHeard] = useState<{ stage: string; at: number; samples: readonly Sample[] }>({
    stage,
    at: 0,
    samples: [],
  });
  if (bytes !== undefined && (at !== heard.at || stage !== heard.stage)) {
    const before = stage === heard.stage ? heard.samples : [];
    setHeard({ stage, at, samples: extend(before, { at, bytes }) });
  }
  if (bytes === undefined || total === undefined || total <= 0) return [];
  const rate = rateOf(heard.samples);
  return [
    jobs.ofBytes(format.bytes(bytes), format.bytes(total)),
    ...(rate ? [jobs.speed(format.bytes(rate)), jobs.left(format.duration((total - bytes) / rate))] : []),
  ];
}

/** How many documents, or passages of them, are through, and what became of them. */
function useCounts(job: Job): string[] {
  const { jobs } = useWords();
  const format = useFormat();
  const { done, total, failed, chunks } = readProgress(job);
  if (job.kind === 'data' && done) return [jobs.ofRows(format.count(done))];
  if (done === undefined || total === undefined) return [];
  const all = [format.count(done), format.count(total)] as const;
  return [
    job.kind === 'ingest' ? jobs.ofDocuments(...all) : jobs.ofPassages(...all),
    ...(chunks ? [jobs.passages(format.count(chunks))] : []),
    ...(failed ? [jobs.unread(format.count(failed))] : []),
  ];
}

export function stageOf(job: Job, jobs: Words['jobs']): string {
  if (job.state !== 'running') return jobs.states[job.state];
  const { stage } = job.progress;
  const stages: Record<string, string> = jobs.stages;
  return typeof stage === 'string' ? (stages[stage] ?? stage) : jobs.states.running;
}

export interface Progress {
  fraction?: number;
  bytes?: number;
  total_bytes?: number;
  step?: number;
  total_steps?: number;
  epoch?: number;
  loss?: number;
  learning_rate?: number;
  tokens?: number;
  tokens_per_second?: number;
  at?: number;
  memory?: number;
  seconds_left?: number;
  restarts?: number;
  done?: number;
  total?: number;
  failed?: number;
  chunks?: number;
}

/** The numbers in a job's progress; a field that is no number is left out. */
export function readProgress(job: Job): Progress {
  return Object.fromEntries(Object.entries(job.progress).filter(([, value]) => typeof value === 'number'));
}
