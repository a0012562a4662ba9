/** The messages of a conversation. Only those in sight are in the page, however many there are. */
import { Button, Loader } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';

import { useWords } from '../../words';
import { AnswerRow } from './AnswerRow';
import { Announcer } from './Announcer';
import classes from './chat.module.css';
import { QuestionRow } from './QuestionRow';
import { loadEarlier, loadLater } from './queries';
import { positionOf, type Row } from './rows';
import { isOver } from './turns';
import type { Conversation } from './useConversation';

const NEAR_END_PX = 60;
const NEAR_EDGE_PX = 600;

export function MessageList({ conversation }: { conversation: Conversation }) {
  const { chat } = useWords();
  const { sessionId, session, rows, chosen, sought } = conversation;
  const { earlier = false, later = false } = session.data ?? {};
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const loadEarlierHere = useLoading(loadEarlier, sessionId, earlier);
  const loadLaterHere = useLoading(loadLater, sessionId, later);
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
      const offset = list.scrollOffset ?? NEAR_EDGE_PX;
      if (offset < NEAR_EDGE_PX) loadEarlierHere();
      if (list.isAtEnd(NEAR_EDGE_PX)) loadLaterHere();
    },
  });
  useFirstPlace(virtualizer, rows, sought);
  const items = virtualizer.getVirtualItems();
  const toNewest = () => void conversation.toNewest().then(() => virtualizer.scrollToEnd());
  return (
    <div className={classes.messages}>
      <div
        ref={scroller}
        className={classes.scroller}
        tabIndex={0}
        role="region"
        aria-label={chat.messages.label}
      >
        {earlier && (
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
                  data-sought={(sought !== null && positionOf(row) === sought) || undefined}
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
          onClick={toNewest}
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
  if (row.kind === 'answer') return <AnswerRow row={row} conversation={conversation} />;
  if (row.kind === 'question') return <QuestionRow row={row} conversation={conversation} />;
  return (
    <p className={`${classes.system ?? ''} words`}>
      <strong>{chat.messages.system}</strong> {row.message.content}
    </p>
  );
}

/** The end, or the message that the address names; then every answer that is asked for here, from wherever. */
function useFirstPlace(
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  rows: readonly Row[],
  sought: number | null,
) {
  const there = sought === null ? -1 : rows.findIndex((row) => positionOf(row) === sought);
  const shown = useRef<number | null>(null);
  useEffect(() => {
    if (there < 0 || shown.current === sought) return;
    shown.current = sought;
    virtualizer.scrollToIndex(there, { align: 'center' });
  }, [there, sought, virtualizer]);
  const last = rows.at(-1);
  const own = last?.kind === 'answer' && last.turn && !isOver(last.turn) ? last.key : null;
  const drawn = useRef<string | null | undefined>(undefined);
  useEffect(() => {
    const first = drawn.current === undefined;
    if (first ? sought === null : own !== null && own !== drawn.current) virtualizer.scrollToEnd();
    drawn.current = own;
  }, [own, sought, virtualizer]);
}

/** Loads more messages, one page at a time. */
function useLoading(
  load: (client: QueryClient, id: string) => Promise<void>,
  sessionId: string | null,
  more: boolean,
): () => void {
  const client = useQueryClient();
  const loading = useRef(false);
  return useCallback(() => {
    if (!sessionId || !more || loading.current) return;
    loading.current = true;
    load(client, sessionId)
      // The next turn of the wheel tries again.
      .catch(() => undefined)
      .finally(() => {
        loading.current = false;
      });
  }, [load, client, sessionId, more]);
}
