/** Kinds of faults with the lines that have them: each can be unfolded. */
import { Text } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';

import { useSpeech } from '../../words';
import { useFormat } from '../../words/format';
import classes from './DataSet.module.css';
import type { Finding, Report } from './queries';

export function Findings({ report }: { report: Report }) {
  return (
    <div className={classes.findings}>
      {report.findings.map((finding) => (
        <Found key={finding.kind} finding={finding} all={report.rows} />
      ))}
    </div>
  );
}

function Found({ finding, all }: { finding: Finding; all: number }) {
  const { language, words: table } = useSpeech();
  const { check: words, rows: rowsOf } = table.data;
  const format = useFormat();
  const { kind, name, rows, examples } = finding;
  const percent = (100 * rows) / Math.max(all, 1);
  return (
    <details className={classes.finding}>
      <summary>
        <IconChevronRight size={16} aria-hidden className={classes.chevron} />
        <span className={classes.findingName}>{name[language]}</span>
        <span className="figures">
          {`${rowsOf(format.count(rows))} · ${percent < 1 ? '< 1' : format.count(percent)} %`}
        </span>
        <Text span size="sm" c="dimmed" className={classes.fix ?? ''}>
          {words.fixes[kind]}
        </Text>
      </summary>
      <ul className={classes.lines}>
        {examples.map(({ line, what, other }, place) => (
          <li key={place}>
            <strong className="figures">{words.line(format.count(line))}</strong>
            <span className="words">{what[language]}</span>
            {other != null && (
              <Text span size="sm" c="dimmed">
                {(kind === 'leak' ? words.heldLine : words.repeats)(format.count(other))}
              </Text>
            )}
          </li>
        ))}
        {rows > examples.length && <li>{words.moreLines(format.count(rows - examples.length))}</li>}
      </ul>
    </details>
  );
}
