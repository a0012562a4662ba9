/** `/runs/$runId`: one run, live while it goes on, and what came of it. */
import { Alert, Badge, Button, Group, Text } from '@mantine/core';
import { IconPlayerPlay, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';

import { jobError, useJob } from '../../api/jobs';
import { codeOf, untilReached } from '../../api/problem';
import { isBase, isOver, modelsQuery, runQuery, type Job, type Run } from '../../api/queries';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { readProgress, stageOf } from '../../ui/JobProgress';
import { JobState } from '../../ui/JobState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { Track } from '../../ui/Track';
import { AnchorLink, ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { LossChart } from './LossChart';
import { merge, pointOf, withSpeed, type Point } from './points';
import { useAgain, useDiscarding, usePausing } from './queries';
import { RecipeFacts } from './RecipeFacts';
import { RunActions } from './RunActions';
import { RunCurves } from './RunCurves';
import { RunData } from './RunData';
import { RunFigures } from './RunFigures';
import { RunGoal } from './RunGoal';
import { RunSamples } from './RunSamples';
import { ScoreForm } from './ScoreForm';

const LIVE_MILLISECONDS = 5_000;

export function RunView() {
  const { runId } = useParams({ from: '/runs/$runId' });
  const { runs: words } = useWords();
  const { data: run, error } = useQuery({
    ...runQuery(runId),
    refetchInterval: ({ state }) =>
      state.data && !isOver(state.data.job.state) ? LIVE_MILLISECONDS : untilReached(state.error),
  });
  const followed = useJob(runId).job;
  const back = (
    <AnchorLink to="/runs" size="sm">
      ← {words.all}
    </AnchorLink>
  );
  if (!run) {
    return (
      <Page title={words.title} back={back}>
        {error ? <ProblemAlert error={error} /> : <Loading rows={3} height={160} />}
      </Page>
    );
  }
  return <OneRun key={runId} run={run} job={followed ?? run.job} back={back} />;
}

function OneRun({ run, job, back }: { run: Run; job: Job; back: ReactNode }) {
  const { jobs, runs: words } = useWords();
  const format = useFormat();
  const models = useQuery(modelsQuery).data;
  const heard = usePoints(run, job);
  const points = useMemo(() => withSpeed(heard), [heard]);
  const { held_out_history: heldOut } = run;
  const { chart } = words;
  const series = useMemo(
    () =>
      heldOut?.length
        ? [
            { name: chart.training, points },
            { name: chart.heldOut, points: heldOut, dotted: true },
          ]
        : [{ name: run.recipe.name, points }],
    [run.recipe.name, chart, points, heldOut],
  );
  const stage = stageOf(job, jobs);
  const { fraction, total_steps: steps, restarts } = readProgress(job);
  const ahead = isOver(job.state) ? undefined : steps;
  const entry = models?.find(({ base }) => base.id === run.base_id);
  const base = entry?.variants.find(isBase)?.name;
  // By its id, not its name: it may have been renamed, or another one may go by that name.
  const made = entry?.variants.find(({ id }) => id === job.result?.['variant_id'])?.name;
  const isGone = models !== undefined && job.state === 'succeeded' && made === undefined;
  return (
    <Page
      title={run.recipe.name}
      back={back}
      lead={
        <Group gap="xs">
          <JobState state={job.state} paused={run.paused} />
          {job.state === 'running' && <Text role="status">{stage}</Text>}
          <Text c="dimmed" size="sm">
            {format.moment(job.created_at)}
          </Text>
          {run.force && (
            <Badge variant="outline" color="orange" tt="none" title={words.force.hint}>
              {words.force.mark}
            </Badge>
          )}
          {run.sweep && (
            <AnchorLink to="/runs/sweeps/$sweepId" params={{ sweepId: run.sweep }} size="sm">
              {words.sweep.partOf}
            </AnchorLink>
          )}
        </Group>
      }
      actions={<RunActions job={job} made={made} base={base} />}
    >
      <Ended run={run} job={job} />
      {isGone && <Text c="dimmed">{words.gone}</Text>}
      {!isOver(job.state) && <Track fraction={fraction} label={jobs.progress(stage)} />}
      {!isOver(job.state) && restarts !== undefined && (
        <Alert color="yellow" radius="lg">
          {words.restarts(format.count(restarts))}
        </Alert>
      )}
      <RunFigures job={job} run={run} last={points.at(-1)} />
      <LossChart series={series} steps={ahead} />
      <RunCurves points={points} steps={ahead} />
      <RunGoal goal={run.recipe.goal} />
      <RunSamples run={run} />
      {made !== undefined && <ScoreForm variant={made} />}
      <RecipeFacts run={run} base={base ?? run.recipe.base} />
      <RunData id={job.id} name={run.recipe.name} />
    </Page>
  );
}

/** The loss so far: the history is read now and then, each step in between is heard of. */
function usePoints(run: Run, job: Job): readonly Point[] {
  const { history } = run;
  const [heard, setHeard] = useState<readonly Point[]>([]);
  const point = pointOf(job);
  if (point && point.step > (heard.at(-1)?.step ?? 0)) {
    const kept = history?.at(-1)?.step ?? 0;
    setHeard([...heard.filter(({ step }) => step > kept), point]);
  }
  return useMemo(() => merge(history ?? [], heard), [history, heard]);
}

/** Why a run has nothing to show, and the two ways on from there. */
function Ended({ run, job }: { run: Run; job: Job }) {
  const { runs: words } = useWords();
  const again = useAgain(run);
  const resume = usePausing(job.id, 'resume');
  const discard = useDiscarding(job.id);
  if (job.state !== 'failed' && job.state !== 'cancelled') return null;
  const change = (
    <ButtonLink to="/runs" search={{ again: job.id }} size="compact-sm" variant="default">
      {words.change}
    </ButtonLink>
  );
  const goOn = run.can_resume && (
    <>
      <Button
        size="compact-sm"
        variant={run.paused ? 'filled' : 'default'}
        leftSection={<IconPlayerPlay size={14} aria-hidden />}
        title={run.paused ? undefined : words.resumable}
        onClick={() => resume.mutate()}
        loading={resume.isPending}
      >
        {words.resume}
      </Button>
      <ConfirmButton
        size="compact-sm"
        title={words.discard.title}
        hint={words.discard.hint}
        confirm={words.discard.submit}
        loading={discard.isPending}
        onConfirm={() => discard.mutate()}
      >
        {words.discard.submit}
      </ConfirmButton>
    </>
  );
  const failed = jobError(job);
  const problem = again.error ?? resume.error ?? discard.error;
  return (
    <>
      {job.state === 'failed' ? (
        <ProblemAlert error={failed} again={() => again.mutate(run.force)} pending={again.isPending}>
          {goOn}
          {codeOf(failed) === 'will-not-fit' && (
            <Button
              size="compact-sm"
              variant="outline"
              color="red"
              onClick={() => again.mutate(true)}
              loading={again.isPending}
            >
              {words.force.submit}
            </Button>
          )}
          {change}
        </ProblemAlert>
      ) : (
        <Alert color={run.paused ? 'yellow' : 'gray'} radius="lg">
          <Text size="sm">{run.paused ? words.paused : words.cancelled}</Text>
          <Group gap="xs" mt="sm">
            {goOn}
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              title={words.againHint}
              onClick={() => again.mutate(run.force)}
              loading={again.isPending}
            >
              {words.again}
            </Button>
            {change}
          </Group>
        </Alert>
      )}
      {problem && <ProblemAlert error={problem} />}
    </>
  );
}
