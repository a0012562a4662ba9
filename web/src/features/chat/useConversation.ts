/** The state of the view: which conversation, who answers in it, and what can be done. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';

import { gainOf, useChoices, type Choice, type Side } from './choices';
import { detailsOf, type Message } from './messages';
import { holds, openAt, openNewest, sessionQuery } from './queries';
import { isOver, stop, useTurns, type Turn } from './turns';
import { rowsOf } from './rows';
import { useAnswerers } from './variants';
import { useAsking } from './useAsking';
import { useDocuments } from './useDocuments';
import { useSourcePlace } from './useSourcePlace';

const NO_MESSAGES: readonly Message[] = [];
const NO_TURNS: readonly Turn[] = [];

export function useConversation() {
  const sessionId = useParams({ strict: false }).sessionId ?? null;
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const client = useQueryClient();
  const choices = useChoices();
  const { answerers, usual, settings, pending, error } = useAnswerers();
  const all = useTurns();
  const turns = useMemo(() => all.filter((turn) => turn.sessionId === sessionId), [all, sessionId]);
  const busy = turns.some((turn) => !isOver(turn));
  const sought = search.at ?? null;
  const session = useQuery({ ...sessionQuery(sessionId ?? '', busy, sought), enabled: sessionId !== null });
  const messages = session.data?.messages ?? NO_MESSAGES;
  const later = session.data?.later ?? false;
  const rows = useMemo(() => rowsOf(messages, later ? NO_TURNS : turns), [messages, later, turns]);
  const missing = session.data !== undefined && sought !== null && !holds(session.data, sought);
  useEffect(() => {
    // Without an answer the view stays where it is, as it does for a place that is not there.
    if (missing && sessionId) void openAt(client, sessionId, sought).catch(() => undefined);
  }, [missing, client, sessionId, sought]);

  const exists = (name: string | null | undefined) =>
    answerers.find((one) => one.name === name)?.name ?? null;
  const lastAnswer = messages.findLast((message) => message.role === 'assistant');
  const last = lastAnswer && detailsOf(lastAnswer);
  const answeredLast = last?.by?.variant ?? last?.rag?.variant;
  const {
    documents,
    collections,
    missing: noDocuments,
  } = useDocuments(search.documents, last?.rag?.collection);
  const chosen = {
    main: exists(search.variant) ?? exists(answeredLast) ?? usual,
    beside: exists(search.beside),
  };

  const choiceOf = (side: Side): Choice => {
    const name = chosen[side];
    const turnable = answerers.some((one) => one.name === name && one.gain !== null);
    const { temperature, system, form } = choices;
    return {
      variant: name,
      gain: name && turnable ? gainOf(choices, side, name) : null,
      temperature,
      system,
      documents,
      form,
    };
  };
  const choose = (side: Side, name: string | null) =>
    void navigate({
      to: '.',
      search: (before) => {
        const { [side === 'main' ? 'variant' : 'beside']: _, ...others } = before;
        return name === null ? others : { ...others, [side === 'main' ? 'variant' : 'beside']: name };
      },
      replace: true,
    });
  const chooseDocuments = (wished: string | false) =>
    void navigate({ to: '.', search: (before) => ({ ...before, documents: wished }), replace: true });
  const source = useSourcePlace();
  const asking = useAsking(sessionId, () => ({
    main: choiceOf('main'),
    beside: chosen.beside ? choiceOf('beside') : null,
  }));
  return {
    ...asking,
    sessionId,
    session,
    rows,
    /** The position of the message that the address names. */
    sought,
    /** The same before and after a first question has made the conversation. */
    place: turns.find((turn) => turn.position === 0 && !turn.branch)?.key ?? sessionId ?? 'new',
    busy,
    answerers,
    settings,
    models: { pending, error },
    chosen,
    choose,
    collections,
    documents,
    noDocuments,
    chooseDocuments,
    source,
    /** The same question to the model alone, as another version of the answer. */
    againAlone: (message: Message, question: string) =>
      asking.again(message, question, { main: { ...choiceOf('main'), documents: null }, beside: null }),
    stop: () => turns.forEach(stop),
    toNewest: async () => {
      if (sought !== null)
        void navigate({ to: '.', search: ({ at: _, ...others }) => others, replace: true });
      if (sessionId) await openNewest(client, sessionId);
    },
  };
}

export type Conversation = ReturnType<typeof useConversation>;
