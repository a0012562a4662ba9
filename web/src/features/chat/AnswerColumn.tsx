/** One answer: who gave it, its text, what it took, and what went wrong. */
import { Group, Text } from '@mantine/core';
import { IconCut } from '@tabler/icons-react';
import { lazy, Suspense, type ReactNode } from 'react';

import type { Citation, Place } from '../../sources/sourced';
import { Markdown } from '../../ui/Markdown';
import { PlainText } from '../../ui/MarkdownBlock';
import { Track } from '../../ui/Track';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { AnsweredByLine } from './AnsweredByLine';
import { AnswerProblem } from './AnswerProblem';
import classes from './chat.module.css';
import type { Choice } from './choices';
import type { LiveState } from './liveAnswer';
import type { Details } from './messages';

const SourcedAnswer = lazy(() => import('../../sources/SourcedAnswer'));
const SourcedLine = lazy(() => import('../../sources/SourcedLine'));

interface Props {
  live: LiveState | null;
  text: string;
  running: boolean;
  elsewhere: boolean;
  cutOff: boolean;
  details: Details;
  /** The variant that was asked, and the documents, known before it has begun. */
  asked: Pick<Choice, 'variant' | 'documents'> | null;
  /** As it was asked. */
  question: string;
  /** Whether the text is the answer as it was given, and not a correction of it. */
  given?: boolean;
  /** The source that is open beside the conversation, and how to open another. */
  source: { opened: Place | null; open: (citation: Citation) => void };
  /** Puts the question to the model alone. */
  onAlone?: (() => void) | undefined;
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
  const { chat, rag } = useWords();
  const { live, text, running, details, cutOff, given = true } = props;
  const sourced = details.rag;
  const documents = sourced?.collection ?? (details.by ? null : props.asked?.documents) ?? null;
  const variant = details.by?.variant ?? sourced?.variant ?? (documents ? '' : (props.asked?.variant ?? ''));
  const who = variant || (documents === null ? chat.messages.answer : rag.ask.answerer);
  const failed = live?.phase === 'failed' && !props.settled ? live.error : null;
  return (
    <article
      className={classes.answer}
      aria-label={
        variant
          ? chat.messages.answerOf(variant)
          : documents === null
            ? chat.messages.answer
            : rag.ask.answerOf(documents)
      }
      aria-busy={running}
    >
      <Text component="h3" className={`${classes.who ?? ''} words`} size="sm" fw={600}>
        <span className={classes.knob} aria-hidden />
        {who}
      </Text>
      {props.note && (
        <Text size="xs" c="dimmed">
          {props.note}
        </Text>
      )}
      {props.above}
      {!text ? (
        <Silence {...props} documents={documents} failed={failed !== null} />
      ) : sourced && given ? (
        <Suspense
          fallback={
            <div aria-busy>
              <PlainText text={text} />
            </div>
          }
        >
          <SourcedAnswer
            text={text}
            running={running}
            sourced={sourced}
            question={props.question}
            opened={props.source.opened}
            onOpen={props.source.open}
            onAlone={props.onAlone}
          />
        </Suspense>
      ) : (
        <Markdown text={text} live={running} />
      )}
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
          {sourced ? (
            <Suspense fallback={null}>
              <SourcedLine sourced={sourced} />
            </Suspense>
          ) : (
            <AnsweredByLine details={details} />
          )}
          <Group gap={2} wrap="nowrap" ml="auto">
            {props.actions}
          </Group>
        </Group>
      )}
    </article>
  );
}

interface SilenceProps extends Props {
  failed: boolean;
  documents: string | null;
}

function Silence({ live, running, elsewhere, cutOff, failed, documents }: SilenceProps) {
  const { chat, rag } = useWords();
  const format = useFormat();
  if (running || elsewhere) {
    const waiting = live?.started?.waiting ?? 0;
    const label = elsewhere
      ? chat.messages.elsewhere
      : waiting
        ? chat.messages.queue(format.count(waiting))
        : documents === null
          ? chat.messages.waiting
          : live?.started
            ? rag.ask.reading
            : rag.ask.searching(documents);
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
