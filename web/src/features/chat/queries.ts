/** What the chat reads from the studio, and what it changes there. */
import { infiniteQueryOptions, queryOptions, type QueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import { LESSONS } from './lessons';
import {
  withEarlier,
  withFeedback,
  withLater,
  withNewest,
  type Feedback,
  type Run,
  type SessionPage,
} from './messages';

export type Session = components['schemas']['Session'];
export type ListedSession = components['schemas']['ListedSession'];

export const SESSIONS = ['chat', 'sessions'];
export const sessionKey = (id: string) => ['chat', 'session', id];

const NEWEST = 100;
const MORE = 200;
const ANSWERED_ELSEWHERE_MS = 1_500;

/** The conversations, the last used first; with `words`, those that have them in their title or a message. */
export const sessionsQuery = (words: string) =>
  infiniteQueryOptions({
    queryKey: [...SESSIONS, words],
    queryFn: async ({ pageParam, signal }) => {
      const query = {
        limit: words ? 50 : 100,
        ...(pageParam ? { before: pageParam } : {}),
        ...(words ? { query: words } : {}),
      };
      return body(await api.GET('/api/chat/sessions', { params: { query }, signal }));
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    refetchOnWindowFocus: 'always',
  });

async function readSession(id: string, query: { limit: number; before?: number }): Promise<SessionPage> {
  const params = { path: { session_id: id }, query };
  return body(await api.GET('/api/chat/sessions/{session_id}', { params }));
}

const knownOf = (client: QueryClient, id: string) => client.getQueryData<Run>(sessionKey(id));

/** The conversation as far as it is loaded; `here` says whether this page itself receives its last answer, and
 * `at` which message is to be shown first. */
export const sessionQuery = (id: string, here: boolean, at: number | null) =>
  queryOptions({
    queryKey: sessionKey(id),
    queryFn: async ({ client }): Promise<Run> => {
      const newest = await readSession(id, { limit: NEWEST });
      const known = knownOf(client, id);
      return !known && at !== null && !holds(newest, at)
        ? await readAround(id, at, newest)
        : withNewest(known, newest);
    },
    // Another window may have asked meanwhile.
    refetchOnWindowFocus: 'always',
    refetchInterval: ({ state }) =>
      !here && state.data?.messages.at(-1)?.state === 'streaming' ? ANSWERED_ELSEWHERE_MS : false,
  });

export function holds(run: Run, position: number): boolean {
  return run.messages.some((one) => one.position === position);
}

async function readAround(id: string, at: number, newest: SessionPage): Promise<Run> {
  const end = at + 1 + NEWEST / 2;
  const page = await readSession(id, { limit: NEWEST, before: end });
  return page.messages.length ? { ...page, later: page.messages.at(-1)?.position === end - 1 } : newest;
}

/** Loads the message at a position with those around it, in place of what is loaded. */
export async function openAt(client: QueryClient, id: string, at: number): Promise<void> {
  const known = knownOf(client, id);
  if (known && !holds(known, at)) client.setQueryData<Run>(sessionKey(id), await readAround(id, at, known));
}

/** Loads the newest messages, in place of a part from the middle. */
export async function openNewest(client: QueryClient, id: string): Promise<void> {
  if (!knownOf(client, id)?.later) return;
  client.setQueryData<Run>(sessionKey(id), await readSession(id, { limit: NEWEST }));
}

/** Loads the page before the first message that is known. */
export async function loadEarlier(client: QueryClient, id: string): Promise<void> {
  const first = knownOf(client, id)?.messages[0];
  if (!first || first.position === 0) return;
  const page = await readSession(id, { limit: MORE, before: first.position });
  client.setQueryData<Run>(sessionKey(id), (known) => known && withEarlier(known, page));
}

/** Loads the page after the last message that is known. */
export async function loadLater(client: QueryClient, id: string): Promise<void> {
  const known = knownOf(client, id);
  const last = known?.messages.at(-1);
  if (!known?.later || !last) return;
  const end = last.position + 1 + MORE;
  const page = await readSession(id, { limit: MORE, before: end });
  client.setQueryData<Run>(sessionKey(id), (run) => run && withLater(run, page, end));
}

/** Shows another version of a message, with what was said after it. */
export async function showVersion(client: QueryClient, id: string, messageId: string): Promise<void> {
  const params = { path: { session_id: id } };
  const page = body(
    await api.POST('/api/chat/sessions/{session_id}/active', { params, body: { message_id: messageId } }),
  );
  await client.cancelQueries({ queryKey: sessionKey(id) });
  client.setQueryData<Run>(sessionKey(id), (known) => withNewest(known, page));
}

/** All that is said of an answer; nothing takes it back. */
export async function giveFeedback(
  client: QueryClient,
  id: string,
  messageId: string,
  said: Pick<Feedback, 'rating' | 'correction'>,
): Promise<void> {
  const params = { path: { message_id: messageId } };
  const { data } = await api.PUT('/api/chat/messages/{message_id}/feedback', { params, body: said });
  client.setQueryData<Run>(sessionKey(id), (known) => known && withFeedback(known, messageId, data ?? null));
  void client.invalidateQueries({ queryKey: ['chat', 'feedback'] });
  void client.invalidateQueries({ queryKey: LESSONS });
}

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: async () => body(await api.GET('/api/admin/settings')),
});

export async function renameSession(id: string, title: string): Promise<Session> {
  const params = { path: { session_id: id } };
  return body(await api.PATCH('/api/chat/sessions/{session_id}', { params, body: { title } }));
}

export async function deleteSession(id: string): Promise<void> {
  await api.DELETE('/api/chat/sessions/{session_id}', { params: { path: { session_id: id } } });
}
