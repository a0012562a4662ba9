/** One thing that happened; everything that is known about it unfolds. */
import { Text } from '@mantine/core';
import {
  IconChevronRight,
  IconCube,
  IconKey,
  IconListCheck,
  IconRoute,
  IconSettings,
  IconShieldX,
  IconVersions,
  type Icon,
} from '@tabler/icons-react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { doer, flat, sentence, type Event } from './log';
import classes from './Log.module.css';
import { useShown } from './shown';

const ICONS: Record<string, Icon> = {
  key: IconKey,
  settings: IconSettings,
  model: IconCube,
  adapter: IconCube,
  variant: IconVersions,
  run: IconRoute,
  job: IconListCheck,
  access: IconShieldX,
};

export function LogRow({ event }: { event: Event }) {
  const words = useWords();
  const format = useFormat();
  const shown = useShown();
  const Symbol = ICONS[event.kind.split('.')[0] ?? ''] ?? IconListCheck;
  const by = doer(event, words);
  return (
    <li>
      <details className={classes.event}>
        <summary>
          <span className={`${classes.time ?? ''} figures`}>{format.time(event.created_at)}</span>
          <Symbol size={18} aria-hidden className={classes.icon} />
          <span className={`${classes.sentence ?? ''} words`}>
            {sentence(event, { words, format, shown })}
          </span>
          <Text span size="sm" c="dimmed" className={`${classes.by ?? ''} words`}>
            {by}
          </Text>
          <IconChevronRight size={16} aria-hidden className={classes.chevron} />
        </summary>
        <dl className={`${classes.details ?? ''} words`}>
          {[
            [words.log.kind, event.kind],
            [words.log.number, String(event.id)],
            ...flat(event.details).filter(([, value]) => value !== '' && value !== 'null'),
          ].map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}
