/** The sets as a table; on a phone each row becomes a card with its own labels. */
import { Badge } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import { RowTable } from '../../ui/RowTable';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { DataActions } from './DataActions';
import classes from './DataTable.module.css';
import { samplesOf, useOrigin } from './origin';
import type { DataSet } from './queries';

export function DataTable({ sets }: { sets: readonly DataSet[] }) {
  const { columns, list } = useWords().data;
  return (
    <RowTable
      caption={list}
      columns={[columns.name, columns.format, columns.rows, columns.made, columns.print, columns.when]}
      actions={columns.actions}
    >
      {sets.map((set) => (
        <Row key={set.id} set={set} />
      ))}
    </RowTable>
  );
}

function Row({ set }: { set: DataSet }) {
  const { data: words } = useWords();
  const { columns } = words;
  const format = useFormat();
  const origin = useOrigin();
  const { recognized } = set;
  const rows = set.rows ?? samplesOf(set.made);
  return (
    <tr>
      <th scope="row" className="words">
        <Link to="/data/$id" params={{ id: set.id }} className={classes.name}>
          {set.name}
        </Link>
      </th>
      <td data-label={columns.format}>
        {recognized.format ? (
          <span>{`${words.formats[recognized.format]} · ${recognized.file.toUpperCase()}`}</span>
        ) : (
          <Badge variant="light" color="red" className="state-failed">
            {words.unclear}
          </Badge>
        )}
      </td>
      <td data-label={columns.rows} className="figures">
        {rows === null ? <span className={classes.faint}>{words.unchecked}</span> : format.count(rows)}
      </td>
      <td data-label={columns.made} className={`${classes.made} words`}>
        {origin(set)}
      </td>
      <td data-label={columns.print}>
        <code title={set.sha256}>{set.sha256.slice(0, 8)}</code>
      </td>
      <td data-label={columns.when} title={format.moment(set.created_at)}>
        {format.ago(set.created_at)}
      </td>
      <td className={classes.actions}>
        <DataActions set={set} size={28} />
      </td>
    </tr>
  );
}
