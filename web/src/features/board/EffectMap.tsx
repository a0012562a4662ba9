/** A heat map of what each cell does, as a table: what one sees in colour stands there in figures too. */
import { Stack, Table, Text } from '@mantine/core';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Layout } from './board';
import classes from './board.module.css';

/** In nats a token, with its standard error where there are several. */
interface Change {
  rise: number;
  error: number | null;
}

export interface Cell {
  band: number;
  column: string;
  task: Change;
  general: Change | null;
}

/** A job's result is anything: what is no report shows nothing. */
export function cellsOf(result: Record<string, unknown> | null | undefined): Cell[] {
  const cells: unknown = result?.['cells'];
  return Array.isArray(cells) ? (cells as Cell[]) : [];
}

/** Of the strongest change; a change within two standard errors of nothing is none. */
export function strengthOf({ rise, error }: Change, strongest: number): number {
  if (strongest === 0 || (error !== null && Math.abs(rise) <= 2 * error)) return 0;
  return rise / strongest;
}

export function EffectMap({ result, layout }: { result: Record<string, unknown> | null; layout: Layout }) {
  const { effect } = useWords().board;
  const cells = cellsOf(result);
  if (cells.length === 0) return null;
  const hasGeneral = cells.every(({ general }) => general);
  return (
    <Stack gap="md">
      <Heat title={effect.task} cells={cells} layout={layout} of={({ task }) => task} />
      {hasGeneral && (
        <Heat title={effect.general} cells={cells} layout={layout} of={({ general }) => general} />
      )}
      <Text size="sm" c="dimmed">
        {effect.legend}
      </Text>
    </Stack>
  );
}

interface HeatProps {
  title: string;
  cells: readonly Cell[];
  layout: Layout;
  of: (cell: Cell) => Change | null;
}

function Heat({ title, cells, layout, of }: HeatProps) {
  const { board: words } = useWords();
  const format = useFormat();
  const strongest = Math.max(...cells.map((cell) => Math.abs(of(cell)?.rise ?? 0)));
  const signed = (value: number) => `${value < 0 ? '−' : '+'}${format.decimal(Math.abs(value), 3)}`;
  return (
    <div>
      <Text fw={600} size="sm" mb={4}>
        {title}
      </Text>
      <Table.ScrollContainer
        minWidth={420}
        scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': title, role: 'region' } }}
      >
        <Table className={classes.heat ?? ''} aria-label={title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.effect.band}</Table.Th>
              {layout.columns.map((column) => (
                <Table.Th key={column}>
                  {(words.columns as Record<string, string>)[column] ?? column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {layout.bands.map(({ first, last }, r) => (
              <Table.Tr key={first}>
                <Table.Th scope="row">{words.layers(format.count(first), format.count(last))}</Table.Th>
                {layout.columns.map((column) => {
                  const cell = cells.find((one) => one.band === r && one.column === column);
                  const change = cell && of(cell);
                  if (!change) return <Table.Td key={column} />;
                  const strength = strengthOf(change, strongest);
                  return (
                    <Table.Td key={column} className="figures">
                      <span
                        className={classes.warmth}
                        data-falls={strength < 0 || undefined}
                        style={{ opacity: Math.abs(strength) * 0.45 }}
                      />
                      <span className={classes.figure}>
                        {signed(change.rise)}
                        {change.error !== null && <small> ± {format.decimal(change.error, 3)}</small>}
                      </span>
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </div>
  );
}
