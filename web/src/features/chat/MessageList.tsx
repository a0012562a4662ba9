/** The messages of a conversation. Only those in sight are in the page, however many there are. */
import { Button, Loader } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';

import { useWords } from '../../words';
import { AnswerRow } from './AnswerRow';
import { Announcer } from './Announcer';
import classes from './chat.module.css';
import { QuestionRow } from './QuestionRow';
import { loadEarlier, loadLater, openAt, openNewest } from './queries';
import { positionOf, type Row } from './rows';
import type { Conversation } from './useConversation';

const NEAR_END_PX = 60;
const NEAR_START_PX = 600;

export function MessageList({ conversation }: { conversation: Conversation }) {
  const { chat } = useWords();
  const { sessionId, session, rows, chosen, at } = conversation;
  const client = useQueryClient();
  const later = session.data?.later ?? false;
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const loadEarlierHere = useMore(sessionId, session.data?.earlier ?? false, loadEarlier);
  const loadLaterHere = useMore(sessionId, later, loadLater);
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
      if (list.isAtEnd(NEAR_START_PX)) loadLaterHere();
    },
  });
  const newest = rows.at(-1)?.key;
  // Also when the own question has been sent from further up: its answer is what one waits for.
  useEffect(() => {
    if (newest && at === null && !later) virtualizer.scrollToEnd();
  }, [newest, virtualizer, at, later]);
  useEffect(() => {
    if (sessionId && at !== null) void openAt(client, sessionId, at);
  }, [client, sessionId, at]);
  const sought = at === null ? -1 : rows.findIndex((row) => positionOf(row) === at);
  useEffect(() => {
    if (sought >= 0) virtualizer.scrollToIndex(sought, { align: 'center' });
    // Only when it comes into the list: whoever scrolls on from there is left alone.
  }, [sought >= 0, at, virtualizer]); // eslint-disable-line react-hooks/exhaustive-deps
  const toNewest = async () => {
    if (sessionId) await openNewest(client, sessionId);
    virtualizer.scrollToEnd();
  };
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
                  data-sought={item.index === sought || undefined}
                >
                  <RowContent row={row} conversation={conversation} />
                </div>
              )
            );
          })}
        </div>
      </div>
      {(!atEnd || later) && (
        <Button
          className={classes.newest ?? ''}
          size="xs"
          radius="xl"
          variant="default"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={() => void toNewest()}
        >
          {chat.messages.newest}
        </Button>
      )}
      <Announcer rows={rows} />
    </div>
  );
}

function RowContent({ row, conversation }: { row: Row; conversation: Conversation }) {
  const { chat } = useWords();
  const { sessionId, busy, edit, again, retry } = conversation;
  const common = { sessionId, busy };
  if (row.kind === 'answer') return <AnswerRow row={row} {...common} onAgain={again} onRetry={retry} />;
  if (row.kind === 'question') {
    return <QuestionRow text={row.text} message={row.message} {...common} onEdit={edit} />;
  }
  return (
    <p className={`${classes.system ?? ''} words`}>
      <strong>{chat.messages.system}</strong> {row.message.content}
    </p>
  );
}

type Load = (client: QueryClient, id: string) => Promise<void>;

/** Loads older or newer messages, one page at a time. */
function useMore(sessionId: string | null, there: boolean, load: Load): () => void {
  const client = useQueryClient();
  const loading = useRef(false);
  return useCallback(() => {
    if (!sessionId || !there || loading.current) return;
    loading.current = true;
    load(client, sessionId)
      // The next turn of the wheel tries again.
      .catch(() => undefined)
      .finally(() => {
        loading.current = false;
      });
  }, [client, sessionId, there, load]);
}
