/** `/runs`: what has been trained, what is being trained, and the form that starts a run. */
import { Button } from '@mantine/core';
import { IconPlus, IconRoute } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { useJob } from '../../api/jobs';
import { untilReached } from '../../api/problem';
import { isOver, modelsQuery, runsQuery, type BaseEntry } from '../../api/queries';
import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { CompareView } from './CompareView';
import { NewRunForm } from './NewRunForm';
import { dataSetQuery, earlierQuery } from './queries';
import { draftOn, type Sensed } from './recipe';
import { RunList } from './RunList';

const LIVE_MILLISECONDS = 2_000;

export function RunsView() {
  const { compare } = useSearch({ from: '/runs' });
  const [one, other] = compare?.split(',') ?? [];
  return one && other ? <CompareView ids={[one, other]} /> : <AllRuns />;
}

function AllRuns() {
  const { runs: words } = useWords();
  const { start, again, data, suggested, ...search } = useSearch({ from: '/runs' });
  const navigate = useNavigate();
  const models = useQuery(modelsQuery);
  const runs = useQuery({
    ...runsQuery,
    refetchInterval: ({ state }) =>
      state.data?.some((run) => !isOver(run.job.state)) ? LIVE_MILLISECONDS : untilReached(state.error),
  });
  const error = runs.error ?? models.error;
  // A remote base is trained where it is, not here.
  const bases = (models.data ?? []).filter(({ base }) => base.format !== 'remote');
  const ready = runs.data && models.data;
  const isEmpty = runs.data?.length === 0;
  const opened = [start, again, data, suggested].some((one) => one !== undefined) || isEmpty;
  const close = isEmpty ? {} : { onClose: () => void navigate({ to: '/runs', search, replace: true }) };
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        ready && bases.length > 0 && !opened ? (
          <Button
            leftSection={<IconPlus size={18} aria-hidden />}
            onClick={() => void navigate({ to: '/runs', search: { ...search, start: '' } })}
          >
            {words.start}
          </Button>
        ) : undefined
      }
    >
      {error ? <ProblemAlert error={error} /> : !ready && <Loading rows={4} height={56} />}
      {ready && bases.length === 0 && (
        <EmptyState
          icon={<IconRoute size={28} />}
          title={words.noBase}
          hint={words.noBaseHint}
          action={<ButtonLink to="/models">{words.toModels}</ButtonLink>}
        />
      )}
      {ready && bases.length > 0 && isEmpty && (
        <EmptyState icon={<IconRoute size={28} />} title={words.empty} hint={words.emptyHint} />
      )}
      {ready &&
        opened &&
        bases.length > 0 &&
        (suggested !== undefined ? (
          <SuggestedForm key={suggested} id={suggested} bases={bases} {...close} />
        ) : data !== undefined ? (
          <DataForm key={data} id={data} bases={bases} {...close} />
        ) : again === undefined ? (
          <NewRunForm key={start} bases={bases} wanted={start} {...close} />
        ) : (
          <AgainForm key={again} id={again} bases={bases} {...close} />
        ))}
      {ready && runs.data.length > 0 && <RunList runs={runs.data} models={models.data} />}
    </Page>
  );
}

/** The form with the settings and the data of an earlier run. */
function AgainForm({ id, ...form }: { id: string; bases: readonly BaseEntry[]; onClose?: () => void }) {
  const { data, error } = useQuery({ ...earlierQuery(id), staleTime: Infinity });
  if (error) return <ProblemAlert error={error} />;
  if (!data) return <Loading rows={1} height={420} />;
  return <NewRunForm {...form} from={data} />;
}

/** The form with a data set. */
function DataForm({ id, ...form }: { id: string; bases: readonly BaseEntry[]; onClose?: () => void }) {
  const { data: set, error } = useQuery({ ...dataSetQuery(id), retry: false });
  if (error) return <ProblemAlert error={error} />;
  if (!set) return <Loading rows={1} height={420} />;
  return <NewRunForm {...form} set={set} />;
}

/** The form with the board that a measurement suggests. */
function SuggestedForm({ id, ...form }: { id: string; bases: readonly BaseEntry[]; onClose?: () => void }) {
  const { job, error } = useJob(id);
  if (error) return <ProblemAlert error={error} />;
  if (!job) return <Loading rows={1} height={420} />;
  const sensed = job.kind === 'sensitivity' ? (job.result as Sensed | null) : null;
  const base = form.bases.find((entry) => entry.base.id === sensed?.base_id)?.base;
  return <NewRunForm {...form} wanted={base?.name} begun={sensed && base ? draftOn(sensed) : undefined} />;
}
