/** The loss curve as a table, for whoever does not see it. Long runs are thinned out. */
import { Table } from '@mantine/core';
import { useState } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './LossChart.module.css';
import { thin, type ChartPoint } from './points';

const MOST_ROWS = 100;
const COLUMNS = ['step', 'epoch', 'loss', 'learning_rate', 'tokens', 'speed', 'memory'] as const;

export function LossTable({ points, title }: { points: readonly ChartPoint[]; title: string }) {
  const { figures } = useWords().runs;
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const columns = COLUMNS.filter((column) => points.some((point) => point[column] != null));
  const texts: Record<(typeof COLUMNS)[number], (value: number) => string> = {
    step: format.count,
    epoch: (value) => format.decimal(value, 2),
    loss: (value) => format.decimal(value),
    learning_rate: (value) => format.significant(value),
    tokens: format.count,
    speed: (value) => format.count(Math.round(value)),
    memory: format.bytes,
  };
  const shown = (column: (typeof COLUMNS)[number], value: number | null | undefined) =>
    value == null ? '–' : texts[column](value);
  const names = { ...figures, learning_rate: figures.rate };
  return (
    <details className={classes.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="words">{title}</summary>
      {open && (
        <div className={classes.scroll} tabIndex={0} role="region" aria-label={title}>
          <Table className="figures" stickyHeader>
            <Table.Thead>
              <Table.Tr>
                {columns.map((column) => (
                  <Table.Th key={column}>{names[column]}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {thin(points, MOST_ROWS).map((point) => (
                <Table.Tr key={point.step}>
                  {columns.map((column) => (
                    <Table.Td key={column}>{shown(column, point[column])}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </details>
  );
}
