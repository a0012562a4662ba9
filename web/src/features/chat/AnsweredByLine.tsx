/** What answered and what it took, in a small line; everything that is needed to repeat it on demand. */
import { Popover, ScrollArea, Text, UnstyledButton } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { Fragment } from 'react';

import { CopyText } from '../../ui/CopyText';
import { useWords } from '../../words';
import { useFormat, type Format } from '../../words/format';
import classes from './chat.module.css';
import type { AnsweredBy, Details } from './messages';

export function AnsweredByLine({ details }: { details: Details }) {
  const { chat } = useWords();
  const format = useFormat();
  const { by, usage, timing, finish_reason } = details;
  if (!by) return null;
  const gains = gainsOf(by, format, chat.by.board);
  const parts = [
    gains !== '' && chat.by.gain(gains),
    usage && chat.by.tokens(format.count(usage.completion_tokens)),
    timing?.tokens_per_second && chat.by.speed(format.decimal(timing.tokens_per_second, 1)),
    finish_reason === 'length' && chat.by.length,
  ].filter((part) => typeof part === 'string');
  return (
    <Popover position="top-start" shadow="md" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes.by ?? ''} aria-label={[chat.by.details, ...parts].join(', ')}>
          <span className="figures">{parts.join(' · ') || chat.by.details}</span>
          <IconInfoCircle size={14} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown maw="min(26rem, 92vw)" aria-label={chat.by.details}>
        <ScrollArea.Autosize mah="50vh">
          <Facts details={details} by={by} />
          {by.left_out > 0 && (
            <Text size="sm" mt="xs">
              {chat.by.leftOut(format.count(by.left_out))}
            </Text>
          )}
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}

/** One number for each adapter, each once; a board is said to be one. */
function gainsOf(by: AnsweredBy, format: Format, board: string): string {
  const told = Object.values(by.gains).map((gain) =>
    typeof gain === 'number' ? format.decimal(gain, 2) : board,
  );
  return [...new Set(told)].join(' / ');
}

function Facts({ details, by }: { details: Details; by: AnsweredBy }) {
  const { chat } = useWords();
  const format = useFormat();
  const { usage, timing } = details;
  const seconds = (value: number | null | undefined) =>
    value == null ? null : chat.by.seconds(format.decimal(value, 2));
  const facts = [
    [chat.by.variant, by.variant],
    [chat.by.base, <CopyText key="base" text={by.base_id} label={chat.by.base} />],
    [chat.by.engine, by.engine],
    [chat.by.gains, gainsOf(by, format, chat.by.board) || null],
    [chat.by.temperature, format.decimal(by.temperature, 2)],
    [chat.by.topP, format.decimal(by.top_p, 2)],
    [chat.by.maxTokens, chat.by.tokens(format.count(by.max_tokens))],
    [chat.by.seed, by.seed === null ? null : String(by.seed)],
    [
      chat.by.prompt,
      usage && chat.by.cached(format.count(usage.prompt_tokens), format.count(usage.cached_tokens)),
    ],
    [chat.by.waited, seconds(timing?.waited_seconds)],
    [chat.by.first, seconds(timing?.first_token_seconds)],
    [chat.by.whole, seconds(timing?.seconds)],
    [chat.by.template, <CopyText key="template" text={by.template_hash} label={chat.by.template} />],
    [
      chat.by.system,
      by.system ? `${by.system.slice(0, 600)}${by.system.length > 600 ? '…' : ''}` : chat.by.none,
    ],
  ] as const;
  return (
    <dl className={classes.facts}>
      {facts.map(
        ([name, value]) =>
          value && (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd className="words figures">{value}</dd>
            </Fragment>
          ),
      )}
    </dl>
  );
}
