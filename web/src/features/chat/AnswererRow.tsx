/** Who answers, and how strongly its adapters act. */
import { ActionIcon, Select, Slider, Text, Tooltip } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './chat.module.css';
import { chooseGain, gainOf, useChoices, type Side } from './choices';
import { DocumentsSelect } from './DocumentsSelect';
import { writes, type Answerer } from './variants';
import type { Conversation } from './useConversation';

const MARKS = [
  { value: 0, label: '0' },
  { value: 0.5, label: '½' },
  { value: 1, label: '1' },
];

export function AnswererRow({ side, conversation }: { side: Side; conversation: Conversation }) {
  const { chat } = useWords();
  const { answerers, chosen, choose, documents } = conversation;
  const { form } = useChoices();
  const current = answerers.find(({ name }) => name === chosen[side]);
  const label = side === 'main' ? chat.compose.variant : chat.beside.choose;
  return (
    <div className={classes.answerer}>
      <Select
        size="xs"
        variant="filled"
        className={classes.variant ?? ''}
        aria-label={label}
        placeholder={chat.compose.studio}
        data={grouped(answerers)}
        value={chosen[side]}
        onChange={(name) => choose(side, name)}
        allowDeselect={false}
        disabled={answerers.length === 0}
        comboboxProps={{ position: 'top-start', width: 260, shadow: 'md' }}
        maxDropdownHeight={280}
      />
      {side === 'main' && <DocumentsSelect conversation={conversation} />}
      {/* What quotes has nothing to turn. */}
      {current && current.gain !== null && (documents === null || writes(current, form)) && (
        <Gain side={side} name={current.name} own={current.gain} hasBoard={current.hasBoard} />
      )}
    </div>
  );
}

interface GainProps {
  side: Side;
  name: string;
  own: number;
  hasBoard: boolean;
}

function Gain({ side, name, own, hasBoard }: GainProps) {
  const { chat } = useWords();
  const format = useFormat();
  const asked = gainOf(useChoices(), side, name);
  const gain = asked ?? own;
  return (
    <div className={classes.gain}>
      <Text size="xs" c="dimmed" aria-hidden className={classes.gainName ?? ''}>
        {chat.compose.gain}
      </Text>
      <Slider
        className={classes.slider ?? ''}
        classNames={{ thumb: classes.thumb ?? '', markLabel: classes.mark ?? '' }}
        size="xs"
        thumbSize={16}
        min={-1}
        max={2}
        step={0.05}
        startPointValue={0}
        value={gain}
        onChange={(next) => chooseGain(side, name, next)}
        label={null}
        thumbLabel={`${chat.compose.gain}: ${name}`}
        marks={MARKS}
      />
      <Tooltip label={chat.compose.gainHint} multiline w={260}>
        <span className={`${classes.gainValue ?? ''} figures`} aria-hidden>
          {hasBoard && asked === null ? chat.compose.board : format.decimal(gain, 2)}
        </span>
      </Tooltip>
      <Tooltip label={chat.compose.gainOwn}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          disabled={asked === null}
          className={classes.back ?? ''}
          onClick={() => chooseGain(side, name, null)}
          aria-label={chat.compose.gainOwn}
        >
          <IconArrowBackUp size={15} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function grouped(answerers: readonly Answerer[]): { group: string; items: string[] }[] {
  const bases = [...new Set(answerers.map(({ base }) => base))];
  return bases.map((base) => ({
    group: base,
    items: answerers.filter((one) => one.base === base).map(({ name }) => name),
  }));
}
