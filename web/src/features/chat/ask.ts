/** Asks the studio and follows the answers as they come. */
import type { QueryClient } from '@tanstack/react-query';

import { streamEvents } from '../../api/events';
import { ProblemError, type Problem } from '../../api/problem';
import type { Choice } from './choices';
import { LiveAnswer } from './liveAnswer';
import { nextPosition, siblingsWith, withTurn, type Message, type Run, type Started } from './messages';
import { sessionKey, SESSIONS } from './queries';
import { requestOf, startOf, wholeOf, type Asking } from './requests';
import { addTurn, changeTurn, dropFailedBranches, turn as findTurn, type Branch, type Turn } from './turns';

/** The connection ended before the answer did. */
export class BrokenOff extends Error {}

export interface Question {
  message: string;
  sessionId: string | null;
  main: Choice;
  beside: Choice | null;
  /** Where the question is asked instead of another, or answered once more: what it takes the place of. */
  branch?: (Branch & { position: number }) | null;
}

interface Surroundings {
  client: QueryClient;
  language: string;
  /** The studio has made a conversation for this question. */
  onSession: (id: string) => void;
}

// An answer that was stopped or broke off is still being put away by the studio for a moment.
const STOP_PATIENCE_MS = 5_000;
let asked = 0;
const leftAt = new Map<string, number>();

/** Returns the turn at once; its answers come as they come. */
export function ask(question: Question, around: Surroundings): Turn {
  const known = question.sessionId
    ? around.client.getQueryData<Run>(sessionKey(question.sessionId))
    : undefined;
  const branch = question.branch ?? null;
  dropFailedBranches(question.sessionId);
  const turn: Turn = {
    key: `turn ${(asked += 1)}`,
    sessionId: question.sessionId,
    questionId: null,
    answerId: null,
    position: branch?.position ?? nextPosition(known),
    branch: branch && { kind: branch.kind, id: branch.id },
    message: question.message,
    main: new LiveAnswer(question.main),
    beside: question.beside ? new LiveAnswer(question.beside) : null,
  };
  addTurn(turn);
  void run(turn, around);
  return turn;
}

async function run(turn: Turn, around: Surroundings): Promise<void> {
  const { language } = around;
  const common = asking(turn);
  let second: Promise<void> = Promise.resolve();
  if (turn.beside) {
    const { beside } = turn;
    let begun: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (begun = resolve));
    // Not kept: a conversation has one answer to each question.
    second = follow(beside, { ...common, keep: false }, language, begun).finally(() => {
      begun();
      changeTurn(turn.key);
    });
    // It reads the conversation first, or it would find the other's question there already.
    if (turn.sessionId) await ready;
  }
  await followKept(turn, { ...common, keep: true }, around);
  settle(findTurn(turn.key) ?? turn, around);
  await second;
}

async function followKept(turn: Turn, body: Asking & { keep: boolean }, around: Surroundings): Promise<void> {
  const started = ({ session_id, question_id, answer_id }: Started) => {
    changeTurn(turn.key, { sessionId: session_id, questionId: question_id, answerId: answer_id });
    if (!turn.sessionId && session_id) around.onSession(session_id);
    void around.client.invalidateQueries({ queryKey: SESSIONS });
  };
  await follow(turn.main, body, around.language, started);
}

function asking({ message, sessionId, branch }: Turn): Asking {
  if (branch?.kind === 'again') return { session_id: sessionId, again: branch.id };
  return { session_id: sessionId, message, ...(branch ? { replaces: branch.id } : {}) };
}

async function follow(
  answer: LiveAnswer,
  body: Asking & { keep: boolean },
  language: string,
  onStart: (started: Started) => void,
): Promise<void> {
  const { signal } = answer.abort;
  try {
    const events = streamPatiently(requestOf(body, answer.choice), language, signal);
    for await (const { event, data } of events) {
      if (event === 'token') answer.add((data as { text: string }).text);
      else if (event === 'start') {
        const started = startOf(data, answer.choice);
        answer.begin(started);
        onStart(started);
      } else if (event === 'end') {
        const whole = wholeOf(data, answer.choice);
        return answer.end({ phase: 'done', answer: whole, text: whole.text });
      } else if (event === 'error') throw new ProblemError(data as Problem);
    }
    throw new BrokenOff();
  } catch (error) {
    const left = answer.get().started?.session_id ?? (signal.aborted ? body.session_id : null);
    if (left) leftAt.set(left, Date.now());
    if (signal.aborted) {
      answer.end({ phase: 'stopped' });
    } else {
      const lost = !(error instanceof ProblemError) && answer.get().started !== null;
      answer.end({ phase: 'failed', error: lost ? new BrokenOff() : error });
    }
  }
}

async function* streamPatiently(
  { path, body }: ReturnType<typeof requestOf>,
  language: string,
  signal: AbortSignal,
) {
  for (;;) {
    try {
      return yield* streamEvents(path, { body, language, signal });
    } catch (error) {
      const stopped = leftAt.get(body.session_id ?? '') ?? 0;
      const busy = error instanceof ProblemError && (error.problem.type ?? '').endsWith(':session-busy');
      if (!busy || Date.now() - stopped > STOP_PATIENCE_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** What has come goes into the conversation as the studio keeps it. */
function settle(turn: Turn, { client }: Surroundings): void {
  changeTurn(turn.key);
  const id = turn.sessionId;
  if (id) {
    client.setQueryData<Run>(sessionKey(id), (known) => known && withSettled(known, turn));
    // Also after a conflict: what the other window asked shows why.
    void client.invalidateQueries({ queryKey: sessionKey(id) });
  }
  void client.invalidateQueries({ queryKey: SESSIONS });
}

function withSettled(known: Run, turn: Turn): Run {
  const { phase, text, started, answer } = turn.main.get();
  if (!started?.question_id || !started.answer_id) return known;
  const { branch, position } = turn;
  const replaced = (kind: Branch['kind']) => (branch?.kind === kind ? branch.id : undefined);
  const common = { created_at: new Date().toISOString(), state: 'complete', feedback: null } as const;
  const question: Message = {
    ...common,
    id: started.question_id,
    position,
    role: 'user',
    content: turn.message,
    details: {},
    siblings: siblingsWith(known, replaced('edit'), started.question_id),
  };
  const { by, rag } = { ...started, ...answer };
  const made = { ...(by ? { by } : {}), ...(rag ? { rag } : {}) };
  const kept: Message = {
    ...common,
    id: started.answer_id,
    position: position + 1,
    role: 'assistant',
    content: text,
    state: phase === 'done' ? 'complete' : 'cut_off',
    details: answer
      ? { ...made, usage: answer.usage, timing: answer.timing, finish_reason: answer.finish_reason }
      : { ...made, cut_off: phase === 'stopped' ? 'cancelled' : 'failed' },
    siblings: siblingsWith(known, replaced('again'), started.answer_id),
  };
  return withTurn(known, branch?.kind === 'again' ? null : question, kept, branch !== null);
}
