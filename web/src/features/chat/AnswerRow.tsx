/** What was answered: one answer, or two beside each other. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';

import { useWords } from '../../words';
import { AnswerColumn } from './AnswerColumn';
import classes from './chat.module.css';
import { detailsOf } from './messages';
import type { Row } from './rows';
import { isOver } from './turns';
import type { Conversation } from './useConversation';
import { useFeedback } from './useFeedback';
import { useLive } from './useLive';
import { Versions } from './Versions';

interface Props {
  row: Extract<Row, { kind: 'answer' }>;
  sessionId: string | null;
  busy: boolean;
  onAgain: Conversation['again'];
  onRetry: Conversation['retry'];
}

export function AnswerRow({ row, sessionId, busy, onAgain, onRetry }: Props) {
  const { chat } = useWords();
  const { message, turn, question, last } = row;
  const main = useLive(turn?.main ?? null);
  const beside = useLive(turn?.beside ?? null);
  const here = main !== null && (!turn?.main.over || !message);
  const running = here && !turn?.main.over;
  // Of what is kept, only the end is worth a second try; the rest says that it was cut off.
  const open = last || !message;
  const retry = turn && open && isOver(turn) ? () => onRetry(turn) : undefined;
  const feedback = useFeedback(message, sessionId);
  const again = question && message && !running && (
    <Tooltip label={chat.messages.againHint} multiline w={240}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        disabled={busy}
        onClick={() => onAgain(message, question)}
        aria-label={chat.messages.again}
      >
        <IconRefresh size={15} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
  return (
    <div className={classes.answers} data-two={beside !== null || undefined}>
      <AnswerColumn
        live={main}
        text={here ? main.text : (message?.content ?? '')}
        running={running}
        elsewhere={!here && message?.state === 'streaming'}
        cutOff={message?.state === 'cut_off' || main?.phase === 'stopped'}
        details={message ? detailsOf(message) : detailsOfLive(main)}
        asked={turn?.main.choice.variant ?? null}
        {...(open ? {} : { settled: true })}
        onRetry={retry}
        corrected={running ? null : feedback.corrected}
        editor={feedback.editor}
        actions={
          <>
            {message && <Versions message={message} sessionId={sessionId} busy={busy} />}
            {!running && feedback.buttons}
            {retry && main?.phase === 'failed' ? null : again}
          </>
        }
      />
      {beside && turn && (
        <AnswerColumn
          live={beside}
          text={beside.text}
          running={!turn.beside?.over}
          elsewhere={false}
          cutOff={beside.phase === 'stopped'}
          details={detailsOfLive(beside)}
          asked={turn.beside?.choice.variant ?? null}
          note={chat.beside.note}
        />
      )}
    </div>
  );
}

function detailsOfLive(live: ReturnType<typeof useLive>) {
  const { answer, started, phase } = live ?? {};
  if (answer) return answer;
  return { ...(started ? { by: started.by } : {}), ...(phase === 'stopped' ? { cut_off: 'cancelled' } : {}) };
}
