/** What a check found: figures, faults with their lines, languages, balance, lengths. */
import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { useSpeech } from '../../words';
import { useFormat } from '../../words/format';
import { languageNames } from './languages';
import { Bars } from './Bars';
import classes from './DataSet.module.css';
import { Findings } from './Findings';
import { Lengths } from './Lengths';
import { dataSetQuery, type DataSetEntry, type Report } from './queries';

export function ReportBody({ set, report }: { set: DataSetEntry; report: Report }) {
  const { language, words: all } = useSpeech();
  const { check: words } = all.data;
  const format = useFormat();
  const nameOf = languageNames(language);
  const languageName = (code: string) =>
    code === '?' ? words.unknownLanguage : code === 'other' ? words.otherLanguage : nameOf(code);
  const { findings, frequent, given_away: givenAway = [], fit } = report;
  const figures = [
    [words.usable(format.count(report.samples), format.count(report.rows)), null],
    [`${words.facts}: ${format.count(report.groups)}`, words.factsHint],
  ] as const;
  return (
    <>
      <div>
        {figures.map(([figure, hint]) => (
          <Text key={figure} fw={hint ? 400 : 600} className="figures">
            {figure}
            {hint && (
              <Text span size="sm" c="dimmed">
                {` · ${hint}`}
              </Text>
            )}
          </Text>
        ))}
        <Text size="sm" c="dimmed">
          <CheckedWith set={set} />
        </Text>
      </div>
      <section aria-labelledby="faults">
        <Title order={3} size="h5" mb="xs" id="faults">
          {words.faults}
        </Title>
        {findings.length > 0 ? <Findings report={report} /> : <Text>{words.clean}</Text>}
        {givenAway.length > 0 && (
          <Text size="sm" mt="xs">
            {words.givenAway(givenAway.map(format.count).join(', '))}
          </Text>
        )}
      </section>
      <div className={classes.columns}>
        <section aria-labelledby="languages">
          <Title order={3} size="h5" mb="xs" id="languages">
            {words.languages}
          </Title>
          <Bars bars={report.languages.map(({ name, samples }) => ({ name: languageName(name), samples }))} />
          {report.crossing > 0 && (
            <Text size="sm" mt="xs">
              {words.crossing(format.count(report.crossing))}
            </Text>
          )}
        </section>
        <section aria-labelledby="balance">
          <Title order={3} size="h5" mb="xs" id="balance">
            {words.balance}
          </Title>
          {report.format !== 'text' && (
            <Bars
              label={words.turnsTitle}
              bars={report.turns.map(({ name, samples }) => ({ name: words.turns(name), samples }))}
            />
          )}
          {report.sources.length > 0 && <Bars label={words.sources} bars={report.sources} />}
          {frequent.map(({ line, samples }) => (
            <Text key={line} size="sm" mt={4}>
              {words.frequent(format.count(line), format.count(samples))}
            </Text>
          ))}
        </section>
      </div>
      <Lengths report={report} />
      {fit && (
        <Text size="sm" c="dimmed">
          {words.limit(format.count(fit.limit))}
        </Text>
      )}
    </>
  );
}

/** What it was checked for and against. */
function CheckedWith({ set: { checked } }: { set: DataSetEntry }) {
  const { check: words } = useSpeech().words.data;
  const held = checked?.held_out_id ?? '';
  const { data, error } = useQuery({ ...dataSetQuery(held), enabled: held !== '', retry: false });
  const name = held && (data?.name ?? (error ? words.gone : '…'));
  return [checked?.base ? words.with(checked.base) : words.without, ...(name ? [words.held(name)] : [])].join(
    ' · ',
  );
}
