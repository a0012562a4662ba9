/** The messages of a conversation. Only those in sight are in the page, however many there are. */
import { Button, Loader } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';

import { useWords } from '../../words';
import { AnswerRow } from './AnswerRow';
import { Announcer } from './Announcer';
import classes from './chat.module.css';
import { QuestionRow } from './QuestionRow';
import { loadEarlier } from './queries';
import type { Row } from './rows';
import type { Conversation } from './useConversation';

const NEAR_END_PX = 60;
const NEAR_START_PX = 600;

export function MessageList(props: { conversation: Conversation; onEdit: (text: string) => void }) {
  const { chat } = useWords();
  const { sessionId, session, rows, send, retry, chosen } = props.conversation;
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const loadEarlierHere = useEarlier(sessionId, session.data?.earlier ?? false);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => (rows[index]?.kind === 'question' ? 88 : 220),
    overscan: 4,
    paddingStart: 24,
    paddingEnd: 24,
    anchorTo: 'end',
    scrollEndThreshold: NEAR_END_PX,
    directDomUpdates: true,
    directDomUpdatesMode: 'position',
    onChange: (list) => {
      setAtEnd(list.isAtEnd(NEAR_END_PX));
      if ((list.scrollOffset ?? NEAR_START_PX) < NEAR_START_PX) loadEarlierHere();
    },
  });
  const newest = rows.at(-1)?.key;
  // Also when the own question has been sent from further up: its answer is what one waits for.
  useEffect(() => {
    if (newest) virtualizer.scrollToEnd();
  }, [newest, virtualizer]);
  const items = virtualizer.getVirtualItems();
  return (
    <div className={classes.messages}>
      <div
        ref={scroller}
        className={classes.scroller}
        tabIndex={0}
        role="region"
        aria-label={chat.messages.label}
      >
        {session.data?.earlier && (
          <div className={classes.earlier} role="status" aria-label={chat.messages.earlier}>
            <Loader size="xs" type="dots" aria-hidden />
          </div>
        )}
        <div ref={virtualizer.containerRef} className={classes.rows}>
          {items.map((item) => {
            const row = rows[item.index];
            return (
              row && (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={virtualizer.measureElement}
                  className={classes.row}
                  data-wide={chosen.beside !== null || undefined}
                >
                  <RowContent row={row} onEdit={props.onEdit} onAgain={send} onRetry={retry} />
                </div>
              )
            );
          })}
        </div>
      </div>
      {!atEnd && (
        <Button
          className={classes.newest ?? ''}
          size="xs"
          radius="xl"
          variant="default"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={() => virtualizer.scrollToEnd()}
        >
          {chat.messages.newest}
        </Button>
      )}
      <Announcer rows={rows} />
    </div>
  );
}

interface RowProps {
  row: Row;
  onEdit: (text: string) => void;
  onAgain: Conversation['send'];
  onRetry: Conversation['retry'];
}

function RowContent({ row, onEdit, onAgain, onRetry }: RowProps) {
  const { chat } = useWords();
  if (row.kind === 'answer') return <AnswerRow row={row} onAgain={onAgain} onRetry={onRetry} />;
  if (row.kind === 'question') return <QuestionRow text={row.text} onEdit={onEdit} />;
  return (
    <p className={`${classes.system ?? ''} words`}>
      <strong>{chat.messages.system}</strong> {row.message.content}
    </p>
  );
}

/** Loads older messages, one page at a time. */
function useEarlier(sessionId: string | null, earlier: boolean): () => void {
  const client = useQueryClient();
  const loading = useRef(false);
  return useCallback(() => {
    if (!sessionId || !earlier || loading.current) return;
    loading.current = true;
    loadEarlier(client, sessionId)
      // The next turn of the wheel tries again.
      .catch(() => undefined)
      .finally(() => {
        loading.current = false;
      });
  }, [client, sessionId, earlier]);
}
