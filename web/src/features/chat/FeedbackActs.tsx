/** Whether an answer was good, and the way to a better one: small buttons below it. */
import {
  IconPencilCheck,
  IconThumbDown,
  IconThumbDownFilled,
  IconThumbUp,
  IconThumbUpFilled,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { useWords } from '../../words';
import { Act } from './Act';
import type { Feedback, Message } from './messages';
import { giveFeedback } from './queries';
import { useComplaint } from './useComplaint';

export type Said = Pick<Feedback, 'rating' | 'correction'>;

/** Changes what is said of an answer; the rest of it stays. */
export function useFeedback(message: Message, sessionId: string) {
  const client = useQueryClient();
  const { rating = null, correction = null } = message.feedback ?? {};
  return useMutation({
    // One after the other, so that two quick presses end as the second one says.
    scope: { id: `feedback ${message.id}` },
    mutationFn: (change: Partial<Said>) =>
      giveFeedback(client, sessionId, message.id, { rating, correction, ...change }),
    onError: useComplaint(),
  });
}

export function FeedbackActs(props: { message: Message; sessionId: string; onCorrect: () => void }) {
  const { chat } = useWords();
  const feedback = useFeedback(props.message, props.sessionId);
  const kept = props.message.feedback?.rating ?? null;
  // What was pressed shows at once; the studio's word replaces it.
  const rating = feedback.isPending ? (feedback.variables.rating ?? null) : kept;
  const rate = (value: -1 | 1) => feedback.mutate({ rating: rating === value ? null : value });
  const Up = rating === 1 ? IconThumbUpFilled : IconThumbUp;
  const Down = rating === -1 ? IconThumbDownFilled : IconThumbDown;
  return (
    <>
      <Act label={chat.feedback.good} pressed={rating === 1} onClick={() => rate(1)}>
        <Up size={16} aria-hidden />
      </Act>
      <Act label={chat.feedback.bad} pressed={rating === -1} onClick={() => rate(-1)}>
        <Down size={16} aria-hidden />
      </Act>
      <Act
        label={chat.feedback.correct}
        hint={`${chat.feedback.correct}. ${chat.feedback.hint}`}
        onClick={props.onCorrect}
      >
        <IconPencilCheck size={16} aria-hidden />
      </Act>
    </>
  );
}
