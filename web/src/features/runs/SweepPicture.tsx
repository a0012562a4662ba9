/** Which setting did better: each run a dot on one scale, the mean a line, and what that says in words. */
import { Group, Table, Text, Title } from '@mantine/core';
import type { CSSProperties } from 'react';

import type { Run } from '../../api/queries';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { MiniBoard } from '../board/MiniBoard';
import { learning, verdictOf, type Measure, type Setting } from './sweep';
import classes from './Sweep.module.css';

export function SweepPicture({ settings, measure }: { settings: readonly Setting[]; measure: Measure }) {
  const words = useWords().runs.sweep;
  const format = useFormat();
  const values = settings.flatMap(({ results }) => results.map(({ value }) => value));
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  // One value alone stands in the middle.
  const place = (value: number): CSSProperties => ({
    insetInlineStart: `${span ? (100 * (value - low)) / span : 50}%`,
  });
  return (
    <section className="card">
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={2} size="h4">
          {words.compare}
        </Title>
        <Text size="sm" c="dimmed">
          {words.measures[measure]}, {words.nats}
        </Text>
      </Group>
      <Text fw={500} className="words" role="status">
        {useSaid(settings)}
      </Text>
      {measure === 'loss' && values.length > 0 && (
        <Text size="sm" c="dimmed" mt={4}>
          {words.caution}
        </Text>
      )}
      {values.length > 0 && (
        <Table.ScrollContainer minWidth={300} mt="sm" scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table className="figures" aria-label={words.compare} verticalSpacing="sm" horizontalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{words.setting}</Table.Th>
                <Table.Th w="45%">{words.spread}</Table.Th>
                <Table.Th className={classes.figure}>
                  {words.mean}
                  <Text size="xs" c="dimmed">
                    {words.range}
                  </Text>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {settings.map((setting) => (
                <Table.Tr key={setting.name ?? ''}>
                  <Table.Th scope="row" fw={500} miw={110}>
                    <SettingName name={setting.name} run={setting.runs[0]} />
                    <Text size="xs" c="dimmed" fw={400}>
                      {words.of(format.count(setting.results.length), format.count(setting.runs.length))}
                    </Text>
                  </Table.Th>
                  <Table.Td>
                    <div className={classes.strip} data-place={setting.place % 6} aria-hidden>
                      {setting.results.map(({ seed, value }) => (
                        <span key={seed} className={classes.dot} style={place(value)} />
                      ))}
                      {setting.mean !== null && setting.results.length > 1 && (
                        <span className={classes.mean} style={place(setting.mean)} />
                      )}
                    </div>
                  </Table.Td>
                  <Table.Td fw={600} className={classes.figure}>
                    {setting.mean === null ? words.none : format.decimal(setting.mean)}
                    {setting.mean !== null && (
                      <Text size="xs" c="dimmed">
                        {format.decimal(setting.low)}–{format.decimal(setting.high)}
                      </Text>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  );
}

/** The board by its name and as a small picture. */
export function SettingName({ name, run }: { name: string | null; run: Run | undefined }) {
  const words = useWords().runs.sweep;
  const format = useFormat();
  const rows = run?.recipe.board;
  return (
    <Group gap="xs" wrap="nowrap" component="span">
      {rows && (
        <MiniBoard
          rows={rows}
          label={words.learning(format.count(learning(rows)), format.count(rows.flat().length))}
        />
      )}
      <span className="words">{name ?? words.seedsOnly}</span>
    </Group>
  );
}

function useSaid(settings: readonly Setting[]): string {
  const { verdicts: words } = useWords().runs.sweep;
  const format = useFormat();
  const verdict = verdictOf(settings);
  if (verdict.kind === 'nothing') return words.nothing;
  if (verdict.kind === 'seeds') {
    const { mean, low, high, results, name } = verdict.only;
    const average = format.decimal(mean ?? 0);
    if (results.length < 2) return words.one(average);
    const said = words.seeds(
      average,
      format.decimal(low),
      format.decimal(high),
      format.count(results.length),
    );
    return settings.length > 1 ? `${name ?? ''}: ${said} ${words.waits}` : said;
  }
  const { kind, best, next, won, pairs } = verdict;
  const [first, second] = [best.name ?? '', next.name ?? ''];
  return [
    words.best(first, format.decimal(best.mean ?? 0), second, format.decimal(next.mean ?? 0)),
    kind === 'apart' ? words.apart(first, second) : words[kind],
    kind === 'overlap' && pairs > 1 && words.pairs(first, format.count(won), format.count(pairs)),
  ]
    .filter(Boolean)
    .join(' ');
}
