/** One answer: who gave it, its text, what it took, and what went wrong. */
import { ActionIcon, CopyButton, Group, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy, IconCut } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { Markdown } from '../../ui/Markdown';
import { Track } from '../../ui/Track';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { AnsweredByLine } from './AnsweredByLine';
import { AnswerProblem } from './AnswerProblem';
import classes from './chat.module.css';
import type { LiveState } from './liveAnswer';
import type { Details } from './messages';

interface Props {
  live: LiveState | null;
  text: string;
  running: boolean;
  elsewhere: boolean;
  cutOff: boolean;
  details: Details;
  /** The variant that was asked, known before it has begun. */
  asked: string | null;
  note?: string;
  /** What went wrong then is not told any more. */
  settled?: boolean;
  onRetry?: (() => void) | undefined;
  actions?: ReactNode;
  /** In the place of the text and below it, where the answer was corrected. */
  corrected?: { text: string; note: ReactNode } | null;
  editor?: ReactNode;
}

export function AnswerColumn(props: Props) {
  const { chat } = useWords();
  const { live, text, running, details, cutOff } = props;
  const variant = details.by?.variant ?? props.asked ?? '';
  const failed = live?.phase === 'failed' && !props.settled ? live.error : null;
  return (
    <article
      className={classes.answer}
      aria-label={variant ? chat.messages.answerOf(variant) : chat.messages.answer}
      aria-busy={running}
    >
      <Text component="h3" className={`${classes.who ?? ''} words`} size="sm" fw={600}>
        <span className={classes.knob} aria-hidden />
        {variant || chat.messages.answer}
      </Text>
      {props.note && (
        <Text size="xs" c="dimmed">
          {props.note}
        </Text>
      )}
      {text ? (
        <Markdown text={props.corrected?.text ?? text} live={running} />
      ) : (
        <Silence {...props} failed={failed !== null} />
      )}
      {props.corrected?.note}
      {cutOff && (
        <Text component="p" size="xs" className={classes.cut ?? ''}>
          <IconCut size={13} aria-hidden />
          {reasonIn(chat.by, details.cut_off)}
        </Text>
      )}
      {failed !== null && (
        <AnswerProblem error={failed} kept={live?.started?.answer_id != null} onRetry={props.onRetry} />
      )}
      {!running && (
        <Group gap="xs" className={classes.foot ?? ''} wrap="nowrap" align="center">
          <AnsweredByLine details={details} />
          <Group gap={2} wrap="nowrap" ml="auto">
            {text && <CopyAnswer text={props.corrected?.text ?? text} />}
            {props.actions}
          </Group>
        </Group>
      )}
      {props.editor}
    </article>
  );
}

function Silence({ live, running, elsewhere, cutOff, failed }: Props & { failed: boolean }) {
  const { chat } = useWords();
  const format = useFormat();
  if (running || elsewhere) {
    const waiting = live?.started?.waiting ?? 0;
    const label = elsewhere
      ? chat.messages.elsewhere
      : waiting
        ? chat.messages.queue(format.count(waiting))
        : chat.messages.waiting;
    return (
      <div className={classes.waiting}>
        <Track fraction={undefined} label={label} />
        <Text size="sm" c="dimmed">
          {label}
        </Text>
      </div>
    );
  }
  if (failed) return null;
  const stopped = cutOff && live !== null && live.started === null;
  return (
    <Text size="sm" c="dimmed">
      {stopped ? chat.problems.stopped : chat.messages.empty}
    </Text>
  );
}

function CopyAnswer({ text }: { text: string }) {
  const { chat } = useWords();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? chat.messages.copied : chat.messages.copy}>
          <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={chat.messages.copy}>
            {copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

function reasonIn(words: ReturnType<typeof useWords>['chat']['by'], reason: string | undefined): string {
  if (reason === undefined) return words.cutOff;
  if (reason === 'cancelled') return words.reasons.cancelled;
  return reason === 'studio-stopped' ? words.reasons.stopped : words.reasons.failed;
}
