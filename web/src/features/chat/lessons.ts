/** What could be learned of what was said of answers, and having it learned. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import type { LiveState } from './liveAnswer';
import type { Message } from './messages';
import { isOver, type Turn } from './turns';
import { useComplaint } from './useComplaint';
import { detailsOfLive } from './useLive';

export type LearnStatus = components['schemas']['LearnStatus'];
export type LessonRun = components['schemas']['LessonRun'];
export type Better = 'kept' | 'other' | null;

export const LESSONS = ['chat', 'lessons'];

export const lessonsQuery = (variant: string) =>
  queryOptions({
    queryKey: [...LESSONS, variant],
    queryFn: async ({ signal }) =>
      body(await api.GET('/api/learn', { params: { query: { variant } }, signal })),
    refetchOnWindowFocus: 'always',
  });

export function useLearn(variant: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      body(await api.POST('/api/learn', { body: { variant, everybody: false, again: false } })),
    onSettled: () => client.invalidateQueries({ queryKey: LESSONS }),
    onError: useComplaint(),
  });
}

/** Which of two answers side by side was better; known while both are on the page. */
export function useVote(messageId: string, other: string, otherVariant: string) {
  const client = useQueryClient();
  const queryKey = ['chat', 'vote', messageId, otherVariant];
  const { data: better } = useQuery<Better>({ queryKey, enabled: false, initialData: null });
  const vote = useMutation({
    scope: { id: `vote ${messageId} ${otherVariant}` },
    mutationFn: async (wish: Better) => {
      const asked = { message_id: messageId, other, other_variant: otherVariant, better: wish };
      const { data } = await api.PUT('/api/learn/votes', { body: asked });
      client.setQueryData<Better>(queryKey, data?.better ?? null);
    },
    onError: useComplaint(),
  });
  return { better: vote.isPending ? vote.variables : better, vote: vote.mutate };
}

/** The pair that can be voted on: both answers whole, and both by a model alone, with the same before them. */
export function votable(turn: Turn, message: Message | null, beside: LiveState) {
  const otherVariant = detailsOfLive(beside).by?.variant;
  if (!message?.content || !isOver(turn) || beside.phase !== 'done' || !beside.text || !otherVariant)
    return null;
  if (turn.main.choice.documents !== null) return null;
  return { messageId: message.id, other: beside.text, otherVariant };
}
