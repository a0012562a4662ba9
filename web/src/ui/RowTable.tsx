/** Things as a table, each with what can be done with it; on a phone every row becomes a card with its own labels. */
import type { ReactNode } from 'react';

import classes from './Table.module.css';

interface Props {
  /** What it lists, for a screen reader. */
  caption?: string;
  columns: readonly string[];
  /** Of the last column, for a screen reader. */
  actions: string;
  /** The rows, each with a `data-label` beside every figure. */
  children: ReactNode;
}

export function RowTable({ caption, columns, actions, children }: Props) {
  return (
    <table className={classes.table}>
      {caption !== undefined && <caption className={classes.unseen}>{caption}</caption>}
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
          <th scope="col">
            <span className={classes.unseen}>{actions}</span>
          </th>
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
