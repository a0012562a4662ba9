/** The loss curve as a table, for whoever does not see it. Long runs are thinned out. */
import { Table } from '@mantine/core';
import { useState } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './LossChart.module.css';
import { thin, type Point } from './points';

const MOST_ROWS = 100;

export function LossTable({ points, title }: { points: readonly Point[]; title: string }) {
  const { figures } = useWords().runs;
  const format = useFormat();
  const [open, setOpen] = useState(false);
  return (
    <details className={classes.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="words">{title}</summary>
      {open && (
        <div className={classes.scroll} tabIndex={0} role="region" aria-label={title}>
          <Table className="figures" stickyHeader>
            <Table.Thead>
              <Table.Tr>
                {[figures.step, figures.epoch, figures.loss, figures.rate, figures.tokens].map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {thin(points, MOST_ROWS).map((point) => (
                <Table.Tr key={point.step}>
                  <Table.Td>{format.count(point.step)}</Table.Td>
                  <Table.Td>{format.decimal(point.epoch, 2)}</Table.Td>
                  <Table.Td>{format.decimal(point.loss)}</Table.Td>
                  <Table.Td>{format.significant(point.learning_rate)}</Table.Td>
                  <Table.Td>{format.count(point.tokens)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </details>
  );
}
