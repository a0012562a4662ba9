/** What is sent to the studio for a question and what comes back: to the model alone, or with documents. */
import { sourcedOf, type RagAnswer, type RagStarted } from '../../sources/sourced';
import type { Choice } from './choices';
import type { Answer, Started, Whole } from './messages';

export interface Asking {
  session_id: string | null;
  message?: string;
  replaces?: string;
  again?: string;
}

interface StreamRequest {
  path: string;
  body: { session_id: string | null } & Record<string, unknown>;
}

export function requestOf(
  { message, ...asking }: Asking & { keep: boolean },
  { variant, gain, temperature, system, documents, form }: Choice,
): StreamRequest {
  const common = {
    ...asking,
    ...(variant === null ? {} : { variant }),
    ...(gain === null ? {} : { gains: gain }),
    ...(temperature === null ? {} : { temperature }),
  };
  if (documents === null) {
    const body = { ...common, ...(message === undefined ? {} : { message }) };
    return { path: '/api/chat/stream', body: system === null ? body : { ...body, system } };
  }
  const body = { ...common, collection: documents, ...(message === undefined ? {} : { question: message }) };
  return { path: '/api/rag/stream', body: form === null ? body : { ...body, mode: form } };
}

export function startOf(data: unknown, { documents }: Choice): Started {
  if (documents === null) return data as Started;
  const { session_id, question_id, answer_id, ...found } = data as RagStarted;
  return { session_id, question_id, answer_id, waiting: 0, rag: sourcedOf(found) };
}

export function wholeOf(data: unknown, { documents }: Choice): Whole {
  if (documents === null) return data as Answer;
  const whole = data as RagAnswer;
  return { text: whole.answer, rag: sourcedOf(whole) };
}
