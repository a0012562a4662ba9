/** The state of the view: which conversation, who answers in it, and what can be done. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';

import { useSpeech } from '../../words';
import { ask, type Question } from './ask';
import { gainOf, useChoices, type Choice, type Side } from './choices';
import { detailsOf, type Message } from './messages';
import { openNewest, sessionQuery } from './queries';
import { dropTurn, isOver, stop, useTurns, type Turn } from './turns';
import { rowsOf } from './rows';
import { useAnswerers } from './variants';

const NONE: readonly Message[] = [];

export function useConversation() {
  const sessionId = useParams({ strict: false }).sessionId ?? null;
  const search = useSearch({ strict: false });
  const at = search.at ?? null;
  const navigate = useNavigate();
  const client = useQueryClient();
  const { language } = useSpeech();
  const choices = useChoices();
  const { answerers, usual, settings, pending, error } = useAnswerers();
  const all = useTurns();
  const turns = useMemo(() => all.filter((turn) => turn.sessionId === sessionId), [all, sessionId]);
  const busy = turns.some((turn) => !isOver(turn));
  const session = useQuery({ ...sessionQuery(sessionId ?? '', busy, at), enabled: sessionId !== null });
  const messages = session.data?.messages ?? NONE;
  const rows = useMemo(() => rowsOf(messages, turns), [messages, turns]);

  const exists = (name: string | null | undefined) =>
    answerers.find((one) => one.name === name)?.name ?? null;
  const lastAnswer = messages.findLast((message) => message.role === 'assistant');
  const answeredLast = lastAnswer && detailsOf(lastAnswer).by?.variant;
  const chosen = {
    main: exists(search.variant) ?? exists(answeredLast) ?? usual,
    beside: exists(search.beside),
  };

  const choiceOf = (side: Side): Choice => {
    const name = chosen[side];
    const turnable = answerers.some((one) => one.name === name && one.gain !== null);
    const { temperature, system } = choices;
    return {
      variant: name,
      gain: name && turnable ? gainOf(choices, side, name) : null,
      temperature,
      system,
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
  const put = (question: Omit<Question, 'sessionId'>) => {
    if (at !== null) void navigate({ to: '.', search: ({ at: _, ...others }) => others, replace: true });
    if (sessionId) void openNewest(client, sessionId);
    ask(
      { ...question, sessionId },
      {
        client,
        language,
        onSession: (id) => {
          // Whoever has gone to another view or conversation meanwhile stays there.
          if (sessionId === null && window.location.pathname === '/chat') {
            void navigate({ to: '/chat/$sessionId', params: { sessionId: id }, search: true, replace: true });
          }
        },
      },
    );
  };
  const beside = () => (chosen.beside ? choiceOf('beside') : null);
  const send = (message: string) => put({ message, main: choiceOf('main'), beside: beside() });
  /** Asks another question in the place of one; that one stays as a version, with what was said after it. */
  const edit = ({ id, position }: Message, message: string) =>
    put({ message, main: choiceOf('main'), beside: null, branch: { kind: 'edit', id, position } });
  /** Lets whoever is chosen answer the same question once more; the other answer stays as a version. */
  const again = ({ id, position }: Message, question: string) =>
    put({
      message: question,
      main: choiceOf('main'),
      beside: null,
      branch: { kind: 'again', id, position: position - 1 },
    });
  /** Once more with what was chosen then, in the place of a question that never reached the studio. */
  const retry = (turn: Turn) => {
    if (!turn.answerId) dropTurn(turn.key);
    const { message, main, position, branch } = turn;
    const choices = { main: main.choice, beside: turn.beside?.choice ?? null };
    if (turn.answerId) put({ message, ...choices, branch: { kind: 'again', id: turn.answerId, position } });
    else put({ message, ...choices, branch: branch && { ...branch, position } });
  };
  return {
    sessionId,
    session,
    rows,
    /** The same before and after a first question has made the conversation. */
    place: turns.find((turn) => turn.position === 0)?.key ?? sessionId ?? 'new',
    busy,
    answerers,
    settings,
    models: { pending, error },
    chosen,
    choose,
    send,
    edit,
    again,
    retry,
    /** The position of a message that was looked for. */
    at,
    stop: () => turns.forEach(stop),
  };
}

export type Conversation = ReturnType<typeof useConversation>;
