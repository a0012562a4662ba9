/** A second variant's answer to the same question. The conversation goes on without it. */
import { IconRefreshDot } from '@tabler/icons-react';

import { useWords } from '../../words';
import { Act, CopyAct } from './Act';
import { AnswerColumn } from './AnswerColumn';
import { votable } from './lessons';
import type { LiveAnswer } from './liveAnswer';
import type { Row } from './rows';
import { isOver, type Turn } from './turns';
import type { Conversation } from './useConversation';
import { detailsOfLive, useLive } from './useLive';
import { VoteAct } from './VoteAct';

interface Props {
  turn: Turn;
  beside: LiveAnswer;
  row: Extract<Row, { kind: 'answer' }>;
  conversation: Conversation;
}

export function BesideColumn({ turn, beside, row, conversation }: Props) {
  const { chat } = useWords();
  const live = useLive(beside);
  const { message, question } = row;
  if (!live) return null;
  const vote = votable(turn, message, live);
  return (
    <AnswerColumn
      live={live}
      text={live.text}
      running={!beside.over}
      elsewhere={false}
      cutOff={live.phase === 'stopped'}
      details={detailsOfLive(live)}
      asked={beside.choice}
      question={question}
      source={conversation.source}
      note={chat.beside.note}
      actions={
        <>
          {vote && <VoteAct {...vote} side="other" />}
          {live.text && <CopyAct text={live.text} label={chat.messages.copy} />}
          {message && isOver(turn) && !conversation.busy && (
            <Act
              label={chat.beside.again}
              hint={chat.beside.againHint}
              onClick={() => conversation.again(message, question, { main: beside.choice, beside: null })}
            >
              <IconRefreshDot size={16} aria-hidden />
            </Act>
          )}
        </>
      }
    />
  );
}
