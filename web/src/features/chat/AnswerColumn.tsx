/** One answer: who gave it, its text, what it took, and what went wrong. */
import { Group, Text } from '@mantine/core';
import { IconCut } from '@tabler/icons-react';
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
  note?: string | undefined;
  /** Above the text, such as that it is a corrected one. */
  above?: ReactNode;
  /** Below the text, such as an editor of it. */
  below?: ReactNode;
  actions?: ReactNode;
  /** What went wrong then is not told any more. */
  settled?: boolean;
  onRetry?: (() => void) | undefined;
  onDiscard?: (() => void) | undefined;
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
      {props.above}
      {text ? <Markdown text={text} live={running} /> : <Silence {...props} failed={failed !== null} />}
      {cutOff && (
        <Text component="p" size="xs" className={classes.cut ?? ''}>
          <IconCut size={13} aria-hidden />
          {reasonIn(chat.by, details.cut_off)}
        </Text>
      )}
      {failed !== null && (
        <AnswerProblem
          error={failed}
          kept={live?.started?.answer_id != null}
          onRetry={props.onRetry}
          onDiscard={props.onDiscard}
        />
      )}
      {props.below}
      {!running && !props.elsewhere && (
        <Group gap="xs" className={classes.foot ?? ''} align="center">
          <AnsweredByLine details={details} />
          <Group gap={2} wrap="nowrap" ml="auto">
            {props.actions}
          </Group>
        </Group>
      )}
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

function reasonIn(words: ReturnType<typeof useWords>['chat']['by'], reason: string | undefined): string {
  if (reason === undefined) return words.cutOff;
  if (reason === 'cancelled') return words.reasons.cancelled;
  return reason === 'studio-stopped' ? words.reasons.stopped : words.reasons.failed;
}
