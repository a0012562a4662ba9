/** The runs by state and name: a table on a desk, cards on a phone, and two of them marked for comparison. */
import { Button, Checkbox, Group, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { IconColumns2, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useDeferredValue, useState } from 'react';

import type { BaseEntry, Run } from '../../api/queries';
import { JobState } from '../../ui/JobState';
import { readProgress } from '../../ui/JobProgress';
import { Segments } from '../../ui/Segments';
import { Track } from '../../ui/Track';
import { AnchorLink, ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { FILTERS, fitting, isFilter, tally } from './filters';
import { olderRunsQuery } from './queries';
import classes from './RunList.module.css';

/** As many as the list's first page holds: there may be more. */
const FULL = 100;
/** From so many runs on, one looks for one by its name. */
const MANY = 8;

export function RunList({ runs: newest, models }: { runs: readonly Run[]; models: readonly BaseEntry[] }) {
  const { runs: words } = useWords();
  const { columns } = words;
  const format = useFormat();
  const { state, ...search } = useSearch({ from: '/runs' });
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [picked, setPicked] = useState<readonly string[]>([]);
  const older = useInfiniteQuery(olderRunsQuery(newest.at(-1)?.job.id));
  const runs = [...newest, ...(older.data?.pages.flat() ?? [])];
  const filter = isFilter(state) ? state : 'all';
  const shown = fitting(runs, filter, useDeferredValue(text));
  const counts = tally(runs);
  const names = new Map(models.map(({ base }) => [base.id, base.name]));
  const hasOlder = older.data ? older.hasNextPage : newest.length === FULL;
  const pick = (id: string) =>
    setPicked((before) =>
      before.includes(id) ? before.filter((one) => one !== id) : [...before, id].slice(-2),
    );
  return (
    <div>
      <Group justify="space-between" gap="sm" mb={runs.length > 1 ? 'sm' : 0}>
        {runs.length > 1 && (
          <Segments
            label={words.filter}
            value={filter}
            onChange={(next) =>
              void navigate({
                to: '/runs',
                search: next === 'all' ? search : { ...search, state: next },
                replace: true,
              })
            }
            data={FILTERS.filter((one) => one === 'all' || one === filter || counts[one] > 0).map(
              (value) => ({
                value,
                label: words.filters[value](format.count(counts[value])),
              }),
            )}
          />
        )}
        <Group gap="sm">
          {runs.length >= MANY && (
            <TextInput
              aria-label={words.find}
              placeholder={words.find}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          {picked.length === 2 ? (
            <ButtonLink
              to="/runs"
              search={{ compare: picked.join(',') }}
              variant="default"
              leftSection={<IconColumns2 size={18} aria-hidden />}
            >
              {words.compare}
            </ButtonLink>
          ) : (
            runs.length > 1 && (
              <Text size="sm" c="dimmed">
                {words.compareHint}
              </Text>
            )
          )}
        </Group>
      </Group>
      {shown.length === 0 ? (
        <Text c="dimmed" role="status" py="md">
          {words.filterNone}
        </Text>
      ) : (
        <table className={classes.table} aria-label={words.list}>
          <thead>
            <tr>
              <th scope="col" className={classes.pick}>
                <VisuallyHidden>{columns.pick}</VisuallyHidden>
              </th>
              {[columns.name, columns.state, columns.base, columns.recipe, columns.loss, columns.started].map(
                (name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <Row
                key={run.job.id}
                run={run}
                base={names.get(run.base_id) ?? run.recipe.base}
                picked={picked.includes(run.job.id)}
                onPick={() => pick(run.job.id)}
              />
            ))}
          </tbody>
        </table>
      )}
      {hasOlder && (
        <Button
          variant="default"
          mt="sm"
          onClick={() => void older.fetchNextPage()}
          loading={older.isFetchingNextPage}
        >
          {words.older}
        </Button>
      )}
    </div>
  );
}

interface RowProps {
  run: Run;
  base: string;
  picked: boolean;
  onPick: () => void;
}

function Row({ run, base, picked, onPick }: RowProps) {
  const { runs: words, jobs } = useWords();
  const format = useFormat();
  const { job, recipe } = run;
  const { fraction, loss: now } = readProgress(job);
  const loss = job.result?.['loss'] ?? now;
  return (
    <tr>
      <td className={classes.pick}>
        <Checkbox checked={picked} onChange={onPick} aria-label={words.pick(recipe.name)} />
      </td>
      <th scope="row">
        <Link to="/runs/$runId" params={{ runId: job.id }} className={`${classes.name ?? ''} words`}>
          {recipe.name}
        </Link>
        {run.sweep && (
          <AnchorLink to="/runs/sweeps/$sweepId" params={{ sweepId: run.sweep }} size="xs" fw={400}>
            {words.sweep.partOf}
          </AnchorLink>
        )}
      </th>
      <td>
        <JobState state={job.state} paused={run.paused} />
        {job.state === 'running' && <Track fraction={fraction} label={jobs.progress(recipe.name)} />}
      </td>
      <td className="words">{base}</td>
      <td>
        {words.recipeShort(format.count(run.samples), format.count(recipe.epochs), format.count(recipe.rank))}
      </td>
      <td className="figures" data-name={words.columns.loss}>
        {typeof loss === 'number' ? format.decimal(loss) : '–'}
      </td>
      <td className="figures">{format.moment(job.created_at)}</td>
    </tr>
  );
}
