/** The board that a measurement suggests: ranks, as a table, and the way to a run on it. */
import { Group, Stack, Table, Text, Title } from '@mantine/core';

import type { Job } from '../../api/queries';
import { ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './MapView.module.css';
import type { Sensed } from './queries';

interface Props {
  /** Of the job. */
  id: string;
  result: Job['result'];
}

interface Cell {
  train?: boolean;
  rank?: number;
}

export function SuggestedBoard({ id, result }: Props) {
  const { map, board } = useWords();
  const words = map.sensitivity;
  const format = useFormat();
  // The schema of a job's result stands beside it in the API's document.
  const sensed = result as Sensed | null;
  if (!sensed) return null;
  const { suggested } = sensed;
  const rows = suggested.board as unknown as Cell[][];
  const highest = Math.max(...rows.flat().map(({ rank }) => rank ?? 0), 1);
  const names = board.columns as Record<string, string>;
  const layersOf = (band: number) => {
    const held = sensed.layers.map(({ layer }) => layer);
    const count = Math.max(...held) + 1;
    // Bands are even: as the studio splits them.
    const edge = (at: number) => Math.ceil((at * count) / sensed.bands);
    return map.range(edge(band), edge(band + 1) - 1);
  };
  return (
    <Stack gap="sm">
      <Text size="sm" className="figures words">
        {words.measured(
          format.count(sensed.samples),
          format.count(sensed.tokens),
          format.decimal(sensed.loss, 3),
        )}
        {sensed.data_set && ` ${words.of(sensed.data_set.name)}`}
      </Text>
      <Title order={3} size="h5">
        {words.suggested}
      </Title>
      <Table.ScrollContainer
        minWidth={420}
        scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': words.suggested, role: 'region' } }}
      >
        <Table aria-label={words.suggested} className="figures">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{map.layers}</Table.Th>
              {sensed.columns.map((column) => (
                <Table.Th key={column}>{names[column] ?? column}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((cells, band) => (
              <Table.Tr key={layersOf(band)}>
                <Table.Th scope="row">{layersOf(band)}</Table.Th>
                {cells.map(({ train, rank }, at) => (
                  <Table.Td key={sensed.columns[at]}>
                    {train === false || rank === undefined ? (
                      <Text span c="dimmed" size="sm">
                        {board.training.frozen}
                      </Text>
                    ) : (
                      <>
                        <span
                          className={classes.rank}
                          style={{ inlineSize: `${(rank / highest) * 3}rem` }}
                          aria-hidden
                        />
                        {format.count(rank)}
                      </>
                    )}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="sm" c="dimmed" maw="46rem">
        {words.rule(
          format.count(suggested.parameters),
          format.count(suggested.uniform_parameters),
          format.count(suggested.rank),
        )}
      </Text>
      <Group>
        <ButtonLink to="/runs" search={{ suggested: id }}>
          {words.train}
        </ButtonLink>
      </Group>
    </Stack>
  );
}
