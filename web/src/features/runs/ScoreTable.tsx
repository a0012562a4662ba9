/** What a score found: right answers and losses by gain, and the answers of base and variant side by side. */
import { Checkbox, Table, Text } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';

import type { Job } from '../../api/queries';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import chart from './LossChart.module.css';
import { gainsOf, pairsOf, type Answer, type GainScore, type Interval, type Pair } from './report';
import classes from './ScoreTable.module.css';

export function ScoreTable({ result }: { result: Job['result'] }) {
  const words = useWords().runs.score;
  const format = useFormat();
  const gains = gainsOf(result);
  const hasForgetting = gains.some(({ forgetting }) => forgetting !== null);
  const hasLearned = gains.some(({ learned }) => typeof learned === 'number');
  const signed = (value: number) => `${value < 0 ? '−' : '+'}${format.decimal(Math.abs(value), 3)}`;
  const between = (interval: Interval | undefined, shown: (value: number) => string) =>
    interval && (interval[0] !== 0 || interval[1] !== 0) ? (
      <small className={classes.interval}>{words.between(shown(interval[0]), shown(interval[1]))}</small>
    ) : null;
  const answers = pairsOf(gains);
  const nameOf = useSettingName();
  return (
    <div>
      <Table.ScrollContainer
        minWidth={hasLearned ? 600 : 360}
        scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}
      >
        <Table className="figures" aria-label={words.result}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.gain}</Table.Th>
              <Table.Th>{words.exact}</Table.Th>
              <Table.Th>{words.loss}</Table.Th>
              {hasLearned && <Table.Th title={words.learnedHint}>{words.learned}</Table.Th>}
              {hasForgetting && <Table.Th title={words.forgettingHint}>{words.forgetting}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {gains.map((one, place) => (
              <Table.Tr key={place}>
                <Table.Th scope="row" fw={500}>
                  {one.gain === 0 ? words.asBase : one.gain === 1 ? words.asTrained : nameOf(one)}
                </Table.Th>
                <Table.Td>
                  {one.total === 0 ? (
                    '–'
                  ) : (
                    <span className={classes.share}>
                      <span className={classes.bar} aria-hidden>
                        <span style={{ inlineSize: `${(100 * one.exact) / one.total}%` }} />
                      </span>
                      <span>
                        {`${format.count(one.exact)} / ${format.count(one.total)}`}
                        {between(one.exact_interval, format.share)}
                      </span>
                    </span>
                  )}
                </Table.Td>
                <Table.Td>{format.decimal(one.task_loss)}</Table.Td>
                {hasLearned && (
                  <Table.Td>
                    {typeof one.learned === 'number' ? signed(one.learned) : '–'}
                    {between(one.learned_interval, signed)}
                  </Table.Td>
                )}
                {hasForgetting && (
                  <Table.Td>
                    {one.forgetting === null ? '–' : signed(one.forgetting)}
                    {between(one.forgetting_interval, signed)}
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="sm" c="dimmed" mt="xs">
        {words.intervals}
      </Text>
      {answers && answers.pairs.length > 0 && <Answers {...answers} />}
    </div>
  );
}

/** What a setting is called. */
function useSettingName(): (score: GainScore) => string {
  const words = useWords().runs.score;
  const format = useFormat();
  return ({ gain, board }) => {
    if (!board) return gain === null ? words.own : format.significant(gain);
    const cells = board.cells.flat();
    return words.board(format.significant(Math.min(...cells)), format.significant(Math.max(...cells)));
  };
}

function Answers({ score, pairs }: { score: GainScore; pairs: Pair[] }) {
  const words = useWords().runs.score;
  const nameOf = useSettingName();
  const [differing, setDiffering] = useState(false);
  const shown = differing ? pairs.filter(({ before, after }) => before.correct !== after.correct) : pairs;
  return (
    <details className={chart.details}>
      <summary>{words.answers}</summary>
      <Checkbox
        size="sm"
        my="xs"
        label={words.onlyWrong}
        checked={differing}
        onChange={(event) => setDiffering(event.currentTarget.checked)}
      />
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed">
          {words.noDifference}
        </Text>
      ) : (
        <div className={chart.scroll} tabIndex={0} role="group" aria-label={words.answers}>
          {shown.map((pair, place) => (
            <article key={place} className={classes.pair}>
              <Text size="sm" fw={600} className={`${classes.question ?? ''} words`}>
                {pair.question}
              </Text>
              <Said who={words.base} said={pair.before} />
              <Said
                who={score.gain === null ? nameOf(score) : words.tuned(nameOf(score))}
                said={pair.after}
              />
            </article>
          ))}
        </div>
      )}
    </details>
  );
}

function Said({ who, said }: { who: string; said: Answer }) {
  const words = useWords().runs.score;
  const Icon = said.correct ? IconCheck : IconX;
  return (
    <div className={classes.said} data-correct={said.correct ?? undefined}>
      <Text size="xs" c="dimmed">
        {who}
        {said.correct !== null && (
          <>
            {' · '}
            <Icon size={13} aria-hidden /> {said.correct ? words.right : words.wrong}
          </>
        )}
      </Text>
      <Text size="sm" className="words">
        {said.answer}
      </Text>
    </div>
  );
}
