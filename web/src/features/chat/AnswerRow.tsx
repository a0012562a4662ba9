/** What was answered: one answer, or two beside each other. */
import { IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';

import { useWords } from '../../words';
import { Act, CopyAct } from './Act';
import { AnswerColumn } from './AnswerColumn';
import { BesideColumn } from './BesideColumn';
import classes from './chat.module.css';
import { CorrectedNote, CorrectionEditor } from './Correction';
import { useEdit } from './edits';
import { FeedbackActs } from './FeedbackActs';
import { votable } from './lessons';
import { detailsOf } from './messages';
import type { Row } from './rows';
import { isOver } from './turns';
import type { Conversation } from './useConversation';
import { detailsOfLive, useLive } from './useLive';
import { Versions } from './Versions';
import { VoteAct } from './VoteAct';

interface Props {
  row: Extract<Row, { kind: 'answer' }>;
  conversation: Conversation;
}

export function AnswerRow({ row, conversation }: Props) {
  const { chat } = useWords();
  const { message, turn, question } = row;
  const { busy, sessionId } = conversation;
  const main = useLive(turn?.main ?? null);
  const beside = useLive(turn?.beside ?? null);
  const vote = turn && beside && votable(turn, message, beside);
  const [correction, setCorrection] = useEdit(`answer ${message?.id ?? row.key}`);
  const [original, setOriginal] = useState(false);
  const here = main !== null && (!turn?.main.over || !message);
  const kept = message && sessionId && !here && message.state !== 'streaming' ? message : null;
  const corrected = kept?.feedback?.correction ?? null;
  // Of what is kept, only the end is worth a second try; the rest says that it was cut off.
  const open = row.last || !message;
  const free = turn === null || isOver(turn);
  const retry = turn && open && free ? () => conversation.retry(turn) : undefined;
  const unkept = turn !== null && free && !turn.answerId;
  const own = here ? main.text : (message?.content ?? '');
  const text = corrected !== null && !original ? corrected : own;
  const again = () => {
    if (message) conversation.again(message, question);
    else retry?.();
  };
  return (
    <div className={classes.answers} data-two={turn?.beside != null || undefined}>
      <AnswerColumn
        live={main}
        text={text}
        running={here && !turn?.main.over}
        elsewhere={!here && message?.state === 'streaming'}
        cutOff={(message?.state === 'cut_off' || main?.phase === 'stopped') && text === own}
        details={message ? detailsOf(message) : detailsOfLive(main)}
        asked={turn?.main.choice ?? null}
        question={question}
        given={text === own}
        source={conversation.source}
        onAlone={kept && !busy ? () => conversation.againAlone(kept, question) : undefined}
        {...(open ? {} : { settled: true })}
        onRetry={retry}
        onDiscard={turn?.branch && unkept ? () => conversation.discard(turn) : undefined}
        above={
          corrected !== null && <CorrectedNote original={original} onToggle={() => setOriginal(!original)} />
        }
        below={
          kept &&
          sessionId &&
          correction !== null && (
            <CorrectionEditor
              message={kept}
              sessionId={sessionId}
              text={correction}
              setText={setCorrection}
            />
          )
        }
        actions={
          <>
            {message && sessionId && <Versions message={message} sessionId={sessionId} disabled={busy} />}
            {vote && <VoteAct {...vote} side="kept" />}
            {text && <CopyAct text={text} label={chat.messages.copy} />}
            {question && free && !busy && !(retry && main?.phase === 'failed') && (
              <Act label={chat.messages.again} hint={chat.messages.againHint} onClick={again}>
                <IconRefresh size={16} aria-hidden />
              </Act>
            )}
            {kept && sessionId && (
              <FeedbackActs
                message={kept}
                sessionId={sessionId}
                onCorrect={() => setCorrection(correction === null ? (corrected ?? kept.content) : null)}
              />
            )}
          </>
        }
      />
      {turn?.beside && (
        <BesideColumn turn={turn} beside={turn.beside} row={row} conversation={conversation} />
      )}
    </div>
  );
}
