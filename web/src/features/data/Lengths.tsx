import { Title } from '@mantine/core';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './DataTable.module.css';
import type { Report } from './queries';

/** How long questions, answers and whole samples are. */
export function Lengths({ report }: { report: Report }) {
  const { check: words } = useWords().data;
  const format = useFormat();
  const { questions, answers, fit } = report;
  const rows = [
    ...(questions ? [[words.questions, questions] as const] : []),
    ...(answers ? [[words.answers, answers] as const] : []),
    ...(fit?.tokens ? [[words.tokens(fit.base), fit.tokens] as const] : []),
  ];
  if (rows.length === 0) return null;
  const columns = ['least', 'median', 'p95', 'most', 'total'] as const;
  return (
    <section aria-labelledby="lengths">
      <Title order={3} size="h5" mb="xs" id="lengths">
        {words.lengths}
      </Title>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{words.of}</th>
            {columns.map((column) => (
              <th scope="col" key={column} className={classes.right}>
                {words[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, spread]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {columns.map((column) => (
                <td key={column} data-label={words[column]} className={`${classes.right} figures`}>
                  {format.count(spread[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
