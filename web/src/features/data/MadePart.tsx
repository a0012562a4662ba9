/** How a set came to be: what was kept and what was left out, its parts, or its mixture. */
import { Text } from '@mantine/core';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { AnchorLink } from '../../ui/links';
import { Bars } from './Bars';
import classes from './DataTable.module.css';
import { partName, useOrigin } from './origin';
import { Part } from './Part';
import type { Made } from './queries';

export function MadePart({ made }: { made: Made }) {
  const { made: words } = useWords().data;
  const origin = useOrigin();
  return (
    <Part id="made" title={words.title}>
      <Text className="words">{origin({ made })}</Text>
      <MadeFacts made={made} />
    </Part>
  );
}

/** @param ids The sets that were made together, in the order of the parts: they are linked then. */
export function MadeFacts({ made, ids = [] }: { made: Made; ids?: readonly string[] }) {
  if (made.shaped) return <ShapedFacts shaped={made.shaped} />;
  if (made.mixed) return <MixedFacts mixed={made.mixed} />;
  return made.split ? <SplitFacts split={made.split} ids={ids} current={made.part ?? null} /> : null;
}

function ShapedFacts({ shaped }: { shaped: NonNullable<Made['shaped']> }) {
  const { made: words } = useWords().data;
  const format = useFormat();
  const reasons: Record<string, string> = words.reasons;
  const left = Object.entries(shaped.left_out).map(([reason, samples]) => ({
    name: reasons[reason] ?? reason,
    samples,
  }));
  return (
    <>
      <Text className="figures">
        {words.kept(format.count(shaped.samples), format.count(shaped.rows))}
        {shaped.masked > 0 && ` ${words.masked(format.count(shaped.masked))}`}
      </Text>
      {left.length > 0 && <Bars label={words.leftOut} bars={left} />}
    </>
  );
}

interface SplitProps {
  split: NonNullable<Made['split']>;
  ids: readonly string[];
  current: string | null;
}

function SplitFacts({ split, ids, current }: SplitProps) {
  const { made: words, split: columns } = useWords().data;
  const format = useFormat();
  const percent = (share: number) => `${format.decimal(100 * share, 1)} %`;
  return (
    <>
      <Text size="sm">
        {`${words.groups(format.count(split.groups), format.count(split.samples))}. `}
        {split.grouped_by === 'group' ? words.groupedBy.group : words.groupedBy.content}{' '}
        {words.largest(format.count(split.largest_group))}
        {split.left_out > 0 && ` ${words.rest(format.count(split.left_out))}`}
      </Text>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{columns.part}</th>
            {(['samples', 'groups', 'got', 'wanted'] as const).map((column) => (
              <th scope="col" key={column} className={classes.right}>
                {columns[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {split.parts.map(({ name, samples, groups, wanted }, place) => {
            const shown = partName(name, columns.parts);
            const id = ids[place];
            return (
              <tr key={name} aria-current={(ids.length === 0 && name === current) || undefined}>
                <th scope="row">
                  {id ? (
                    <AnchorLink to="/data/$id" params={{ id }} inherit>
                      {shown}
                    </AnchorLink>
                  ) : (
                    shown
                  )}
                </th>
                <td data-label={columns.samples} className={`${classes.right} figures`}>
                  {format.count(samples)}
                </td>
                <td data-label={columns.groups} className={`${classes.right} figures`}>
                  {format.count(groups)}
                </td>
                <td data-label={columns.got} className={`${classes.right} figures`}>
                  {percent(samples / Math.max(split.samples, 1))}
                </td>
                <td data-label={columns.wanted} className={`${classes.right} figures`}>
                  {percent(wanted)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <Text size="sm" c="dimmed">{`${words.seed}: ${split.seed}`}</Text>
    </>
  );
}

function MixedFacts({ mixed }: { mixed: NonNullable<Made['mixed']> }) {
  const { made, mix: words, columns, split } = useWords().data;
  const format = useFormat();
  return (
    <>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{columns.name}</th>
            {[split.samples, words.taken, words.seen, words.least].map((column) => (
              <th scope="col" key={column} className={classes.right}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {mixed.parts.map(({ name, samples, taken, seen, least }) => (
            <tr key={name}>
              <th scope="row" className="words">
                {name}
              </th>
              <td data-label={split.samples} className={`${classes.right} figures`}>
                {format.count(samples)}
              </td>
              <td data-label={words.taken} className={`${classes.right} figures`}>
                {format.count(taken)}
              </td>
              <td data-label={words.seen} className={`${classes.right} figures`}>
                {words.times(format.decimal(seen, 2))}
              </td>
              <td data-label={words.least} className={`${classes.right} figures`}>
                {format.count(least)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Text size="sm" c="dimmed">
        {`${words.window}: ${format.count(mixed.window)} · ${made.seed}: ${mixed.seed}`}
      </Text>
    </>
  );
}
