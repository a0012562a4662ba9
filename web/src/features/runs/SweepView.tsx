/** `/runs/sweeps/$sweepId`: runs that were started together, beside each other, and which setting did better. */
import { Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';

import { untilReached } from '../../api/problem';
import { isOver, modelsQuery, type Run } from '../../api/queries';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { Track } from '../../ui/Track';
import { AnchorLink } from '../../ui/links';
import { readProgress } from '../../ui/JobProgress';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { sweepQuery, useCancelSweep } from './queries';
import { RunGoal } from './RunGoal';
import { measureOf, settingsOf, titleOf } from './sweep';
import { SweepCurves } from './SweepCurves';
import { SweepPicture } from './SweepPicture';
import { SweepTable } from './SweepTable';

const LIVE_MILLISECONDS = 5_000;

export function SweepView() {
  const { sweepId } = useParams({ from: '/runs/sweeps/$sweepId' });
  const { runs: words } = useWords();
  const { data: runs, error } = useQuery({
    ...sweepQuery(sweepId),
    refetchInterval: ({ state }) =>
      state.data?.some(({ job }) => !isOver(job.state)) ? LIVE_MILLISECONDS : untilReached(state.error),
  });
  const back = (
    <AnchorLink to="/runs" size="sm">
      ← {words.all}
    </AnchorLink>
  );
  const [first] = runs ?? [];
  if (!runs || !first) {
    return (
      <Page title={words.title} back={back}>
        {error ? <ProblemAlert error={error} /> : <Loading rows={3} height={160} />}
      </Page>
    );
  }
  return <OneSweep id={sweepId} runs={runs} title={titleOf(first)} back={back} />;
}

function OneSweep(props: { id: string; runs: readonly Run[]; title: string; back: ReactNode }) {
  const { id, runs, title, back } = props;
  const { runs: all, jobs } = useWords();
  const { sweep: words } = all;
  const format = useFormat();
  const models = useQuery(modelsQuery).data ?? [];
  const cancel = useCancelSweep(id);
  const measure = measureOf(runs);
  const settings = settingsOf(runs, measure);
  const done = runs.filter(({ job }) => job.state === 'succeeded').length;
  const client = useQueryClient();
  const before = useRef(done);
  // Each that gets done while this is open has left a variant.
  useEffect(() => {
    if (done > before.current) void client.invalidateQueries({ queryKey: modelsQuery.queryKey });
    before.current = done;
  }, [client, done]);
  const goesOn = runs.some(({ job }) => !isOver(job.state));
  const shares = runs.map(({ job }) => (isOver(job.state) ? 1 : (readProgress(job).fraction ?? 0)));
  return (
    <Page
      title={words.title(title)}
      back={back}
      lead={<Text c="dimmed">{words.lead(format.count(runs.length), format.count(done))}</Text>}
      actions={
        goesOn && (
          <ConfirmButton
            title={words.cancelTitle}
            hint={words.cancelHint}
            confirm={words.cancel}
            dismiss={jobs.keepGoing}
            loading={cancel.isPending}
            onConfirm={() => cancel.mutate()}
          >
            {words.cancel}
          </ConfirmButton>
        )
      }
    >
      {cancel.error && <ProblemAlert error={cancel.error} />}
      {goesOn && (
        <Track
          fraction={shares.reduce((sum, share) => sum + share, 0) / runs.length}
          label={jobs.progress(title)}
        />
      )}
      <SweepPicture settings={settings} measure={measure} />
      <SweepCurves runs={runs} settings={settings} />
      <SweepTable runs={runs} models={models} />
      <RunGoal goal={runs[0]?.recipe.goal} />
    </Page>
  );
}
