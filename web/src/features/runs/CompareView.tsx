/** `/runs?compare=…,…`: two runs, their curves in one chart, and what they were asked for differently. */
import { Table, Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';

import { runQuery, type Run } from '../../api/queries';
import { JobState } from '../../ui/JobState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { LossChart } from './LossChart';
import { differences, FIELDS } from './recipe';
import { useFieldText } from './RecipeFacts';

export function CompareView({ ids }: { ids: [string, string] }) {
  const { runs: words } = useWords();
  const found = useQueries({ queries: ids.map((id) => runQuery(id)) });
  const error = found.find((one) => one.error)?.error;
  const [one, other] = found.map(({ data }) => data);
  return (
    <Page
      title={words.comparing}
      back={
        <AnchorLink to="/runs" size="sm">
          ← {words.all}
        </AnchorLink>
      }
    >
      {error ? <ProblemAlert error={error} /> : !(one && other) && <Loading rows={2} height={240} />}
      {one && other && <Both runs={[one, other]} />}
    </Page>
  );
}

type Line = [string, (run: Run) => ReactNode];

function Both({ runs: [one, other] }: { runs: [Run, Run] }) {
  const { runs: words } = useWords();
  const { figures, columns } = words;
  const format = useFormat();
  const text = useFieldText();
  // Runs of one name are told apart by when they were started.
  const labels = useMemo(() => {
    const same = one.recipe.name === other.recipe.name;
    return [one, other].map((run) =>
      same ? `${run.recipe.name}, ${format.moment(run.job.created_at)}` : run.recipe.name,
    );
  }, [one, other, format]);
  const series = useMemo(
    () => [one, other].map((run, place) => ({ name: labels[place] ?? '', points: run.history ?? [] })),
    [one, other, labels],
  );
  const both = [one, other];
  const differ = differences(one, other);
  const isSameData = one.data_sha256 === other.data_sha256;
  const isSameBase = one.base_id === other.base_id;
  const data: Line[] = [
    [figures.samples, ({ samples }) => format.count(samples)],
    [figures.data, ({ data_sha256: id }) => id.slice(0, 12)],
  ];
  const rows: Line[] = [
    [columns.state, ({ job, paused }) => <JobState state={job.state} paused={paused} />],
    [figures.loss, ({ history }) => (history?.length ? format.decimal(history.at(-1)?.loss ?? 0) : '–')],
    [figures.tokens, ({ history }) => format.count(history?.at(-1)?.tokens ?? 0)],
    ...(isSameBase ? [] : [[columns.base, ({ recipe }) => recipe.base] satisfies Line]),
    ...(isSameData ? [] : data),
    ...differ.map((field) => [words.fields[field], (run) => text(run, field)] satisfies Line),
  ];
  const same = FIELDS.filter((field) => !differ.includes(field));
  return (
    <>
      <LossChart series={series} />
      <section className="card">
        <Table.ScrollContainer minWidth={320}>
          <Table className="figures" aria-label={words.differs}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{words.differs}</Table.Th>
                {both.map((run, place) => (
                  <Table.Th key={run.job.id}>
                    <AnchorLink to="/runs/$runId" params={{ runId: run.job.id }} className="words">
                      {labels[place]}
                    </AnchorLink>
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(([name, value]) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={400}>
                    {name}
                  </Table.Th>
                  {both.map((run) => (
                    <Table.Td key={run.job.id} className="words">
                      {value(run)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        <Text size="sm" c="dimmed" mt="sm">
          {differ.length === 0 && isSameData && isSameBase
            ? words.nothingDiffers
            : `${words.same}: ${same.map((field) => `${words.fields[field]} ${text(one, field)}`).join(' · ')}`}
        </Text>
      </section>
    </>
  );
}
