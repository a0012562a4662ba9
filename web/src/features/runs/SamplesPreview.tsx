/** The first rows of what was given, and the lines that are broken. */
import { Alert, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Kind, Reading } from './samples';
import classes from './SamplesPreview.module.css';

export function SamplesPreview({ reading, kind }: { reading: Reading; kind: Kind }) {
  const { form } = useWords().runs;
  const format = useFormat();
  const { rows, broken, brokenCount, count } = reading;
  const hasQuestions = kind !== 'texts';
  const hasKeys = rows.some(({ key }) => key !== undefined);
  return (
    <div className={classes.preview}>
      {brokenCount > 0 && (
        <Alert
          color="red"
          role="alert"
          icon={<IconAlertTriangle aria-hidden />}
          title={form.broken(format.count(brokenCount), format.count(count))}
        >
          <ul className={classes.broken}>
            {broken.map(({ line, fault, text }) => (
              <li key={line}>
                <Text size="sm">
                  {form.line(format.count(line))}: {form.faults[fault]}
                </Text>
                <code className="words">{text}</code>
              </li>
            ))}
          </ul>
          {brokenCount > broken.length && (
            <Text size="sm">{form.moreBroken(format.count(brokenCount - broken.length))}</Text>
          )}
        </Alert>
      )}
      {rows.length > 0 && (
        <table className={classes.table} aria-label={form.preview}>
          <thead>
            <tr>
              <th scope="col">{form.lineShort}</th>
              {hasQuestions && <th scope="col">{form.question}</th>}
              <th scope="col">{hasQuestions ? form.answer : form.text}</th>
              {hasKeys && <th scope="col">{form.key}</th>}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.line}>
                <td className="figures">{format.count(row.line)}</td>
                {hasQuestions && <Cell text={row.question} />}
                <Cell text={row.answer} />
                {hasKeys && <Cell text={row.key ?? ''} />}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** Long enough to recognize; the whole may be a book. */
const SHOWN = 400;

function Cell({ text }: { text: string }) {
  return (
    <td>
      <span className={`${classes.cell ?? ''} words`}>
        {text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}
      </span>
    </td>
  );
}
