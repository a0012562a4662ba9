/** Shares as bars, each with its count: the bar itself says nothing that the words do not. */
import { Text } from '@mantine/core';
import { useId } from 'react';

import { useFormat } from '../../words/format';
import classes from './DataSet.module.css';

interface Props {
  bars: readonly { name: string; samples: number }[];
  label?: string;
}

export function Bars({ bars, label }: Props) {
  const format = useFormat();
  const id = useId();
  const all = bars.reduce((sum, { samples }) => sum + samples, 0);
  return (
    <>
      {label && (
        <Text size="sm" c="dimmed" id={id}>
          {label}
        </Text>
      )}
      <ul className={classes.bars} aria-labelledby={label ? id : undefined}>
        {bars.map(({ name, samples }) => (
          <li key={name}>
            <span className="words">{name}</span>
            <span className="figures">
              {`${format.count(samples)} · ${format.count((100 * samples) / Math.max(all, 1))} %`}
            </span>
            <span className={classes.bar} aria-hidden>
              <span style={{ inlineSize: `${(100 * samples) / Math.max(all, 1)}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
