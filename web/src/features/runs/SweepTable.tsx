/** The runs of a sweep beside each other: how far each is, what it came to, and the variant that it made. */
import { Table, Title } from '@mantine/core';

import type { BaseEntry, Run } from '../../api/queries';
import { JobState } from '../../ui/JobState';
import { readProgress } from '../../ui/JobProgress';
import { Track } from '../../ui/Track';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { SettingName } from './SweepPicture';

export function SweepTable({ runs, models }: { runs: readonly Run[]; models: readonly BaseEntry[] }) {
  const { runs: all, jobs } = useWords();
  const { sweep: words } = all;
  const format = useFormat();
  const names = new Map(models.flatMap(({ variants }) => variants.map(({ id, name }) => [id, name])));
  const onBoards = runs.some(({ setting }) => setting != null);
  const hasHeldOut = runs.some(({ held_out: set }) => set != null);
  const shown = (value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) ? format.decimal(value) : words.none;
  return (
    <section className="card">
      <Title order={2} size="h4" mb="xs">
        {words.list}
      </Title>
      <Table.ScrollContainer
        minWidth={onBoards ? 720 : 560}
        scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}
      >
        <Table className="figures" aria-label={words.list} verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.columns.run}</Table.Th>
              {onBoards && <Table.Th>{words.columns.board}</Table.Th>}
              <Table.Th>{words.columns.seed}</Table.Th>
              <Table.Th>{words.columns.state}</Table.Th>
              <Table.Th>{words.columns.loss}</Table.Th>
              {hasHeldOut && <Table.Th>{words.heldOut}</Table.Th>}
              <Table.Th>{words.columns.made}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {runs.map((run) => {
              const { job, recipe, history, held_out_history: heldOut } = run;
              const made = names.get(String(job.result?.['variant_id']));
              return (
                <Table.Tr key={job.id}>
                  <Table.Th scope="row" fw={500}>
                    <AnchorLink to="/runs/$runId" params={{ runId: job.id }} className="words">
                      {recipe.name}
                    </AnchorLink>
                  </Table.Th>
                  {onBoards && (
                    <Table.Td>
                      <SettingName name={run.setting ?? null} run={run} />
                    </Table.Td>
                  )}
                  <Table.Td>{recipe.seed}</Table.Td>
                  <Table.Td>
                    <JobState state={job.state} paused={run.paused} />
                    {job.state === 'running' && (
                      <Track fraction={readProgress(job).fraction} label={jobs.progress(recipe.name)} />
                    )}
                  </Table.Td>
                  <Table.Td>{shown(job.result?.['loss'] ?? history?.at(-1)?.loss)}</Table.Td>
                  {hasHeldOut && <Table.Td>{shown(heldOut?.at(-1)?.loss)}</Table.Td>}
                  <Table.Td>
                    {made === undefined ? (
                      words.none
                    ) : (
                      <AnchorLink to="/models/$name" params={{ name: made }} className="words">
                        {made}
                      </AnchorLink>
                    )}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}
