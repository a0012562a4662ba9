/** Everything that asks the studio in a conversation: anew, once more, in other words, and after a failure. */
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { useSpeech } from '../../words';
import { ask } from './ask';
import type { Choice } from './choices';
import type { Message, Run } from './messages';
import { openNewest, sessionKey } from './queries';
import { dropTurn, type Branch, type Turn } from './turns';

interface Chosen {
  main: Choice;
  beside: Choice | null;
}

export function useAsking(sessionId: string | null, chosen: () => Chosen) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { language } = useSpeech();

  const put = (message: string, branch: (Branch & { position: number }) | null, by: Chosen) => {
    ask(
      { message, sessionId, branch, ...by },
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
  /** A new question at the end. */
  const send = (message: string, by = chosen()) => {
    const known = sessionId && client.getQueryData<Run>(sessionKey(sessionId));
    if (!sessionId || !known || !known.later) return put(message, null, by);
    // Its answer appears at the end, so the end is what has to be shown.
    void openNewest(client, sessionId).finally(() => put(message, null, by));
  };
  /** Another answer to the question that an answer was given to. */
  const again = (answer: Message, question: string, by: Chosen = { ...chosen(), beside: null }) =>
    put(question, { kind: 'again', id: answer.id, position: answer.position - 1 }, by);
  return {
    send,
    again,
    /** Other words in the place of a question. */
    edit: (question: Message | null, turn: Turn | null, message: string) => {
      if (question) put(message, { kind: 'edit', id: question.id, position: question.position }, chosen());
      else if (turn) {
        dropTurn(turn.key);
        put(message, branchOf(turn), chosen());
      }
    },
    /** Once more with what was chosen then, in the place of what failed. */
    retry: (turn: Turn) => {
      const by = { main: turn.main.choice, beside: turn.beside?.choice ?? null };
      const answer = answerOf(client, turn);
      if (answer) return again(answer, turn.message, by);
      if (!turn.answerId) dropTurn(turn.key);
      put(turn.message, turn.answerId ? null : branchOf(turn), by);
    },
    discard: (turn: Turn) => dropTurn(turn.key),
  };
}

const branchOf = ({ branch, position }: Turn) => branch && { ...branch, position };

/** The answer of a turn as the studio keeps it. */
function answerOf(client: QueryClient, { sessionId, answerId }: Turn): Message | undefined {
  const run = sessionId ? client.getQueryData<Run>(sessionKey(sessionId)) : undefined;
  return run?.messages.find(({ id }) => id === answerId);
}
