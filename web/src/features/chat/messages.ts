/** The messages of one conversation as far as they are loaded: a run without gaps, as a rule up to the newest. */
import type { components } from '../../client/schema';
import type { Sourced } from '../../sources/sourced';

type Schemas = components['schemas'];
export type Message = Schemas['Message'];
export type Answer = Schemas['Answer'];
export type AnsweredBy = Schemas['AnsweredBy'];
export type Feedback = Schemas['Feedback'];
export type SessionPage = Schemas['SessionWithMessages'];

/** Whoever came from a search sees a part from the middle: then there are `later` messages too. */
export type Run = SessionPage & { later?: boolean };

/** The first event of a stream; the ids are null where nothing is kept. */
export interface Started {
  session_id: string | null;
  question_id: string | null;
  answer_id: string | null;
  /** Other requests in the queue. */
  waiting: number;
  /** Of an answer by a model alone. */
  by?: AnsweredBy;
  /** Of an answer from documents. */
  rag?: Sourced;
}

/** The last event of a stream. */
export type Whole = Details & { text: string };

/** What the studio keeps beside an answer (`Message.details`), read with care: older studios kept less. */
export interface Details {
  by?: AnsweredBy;
  rag?: Sourced;
  usage?: Answer['usage'];
  timing?: Answer['timing'];
  finish_reason?: Answer['finish_reason'];
  cut_off?: string;
}

export function detailsOf(message: Message): Details {
  return message.details as Details;
}

/** The newest page, with the older messages that were loaded before, where they still join up. */
export function withNewest(known: Run | undefined, page: SessionPage): Run {
  const first = page.messages[0];
  if (!known || !first) return page;
  const older = known.messages.filter((one) => one.position < first.position);
  if (older.at(-1)?.position !== first.position - 1) {
    return known.later ? { ...page, messages: known.messages, earlier: known.earlier, later: true } : page;
  }
  // Another version of a message is shown there: what stood before it may have changed as well.
  const there = known.messages[older.length];
  if (there && there.id !== first.id) return page;
  return { ...page, messages: [...older, ...page.messages], earlier: known.earlier };
}

/** An older page before what is known; a page that does not join up changes nothing. */
export function withEarlier(known: Run, page: SessionPage): Run {
  const first = known.messages[0];
  const last = page.messages.at(-1);
  if (!last) return { ...known, earlier: false };
  if (!first || last.position !== first.position - 1) return known;
  return { ...known, messages: [...page.messages, ...known.messages], earlier: page.earlier };
}

/** A page after what is known, asked for up to the position `end`; the newest comes with less than that. */
export function withLater(known: Run, page: SessionPage, end: number): Run {
  const last = known.messages.at(-1)?.position ?? -1;
  const fresh = page.messages.filter((one) => one.position > last);
  if (fresh[0] && fresh[0].position !== last + 1) return known;
  const messages = [...known.messages, ...fresh];
  return { ...known, messages, later: (messages.at(-1)?.position ?? -1) >= end - 1 };
}

/** A turn that has just ended here, so that it need not be fetched again: it stands where its question stands, or
 * only its answer where an old question was answered once more. What stood there belongs to another branch. */
export function withTurn(known: Run, question: Message | null, answer: Message, branch: boolean): Run {
  const at = question?.position ?? answer.position;
  const before = known.messages.filter((one) => one.position < at);
  const ids = [question?.id, answer.id];
  const others = known.messages.slice(before.length).some((one) => !ids.includes(one.id));
  const last = before.at(-1);
  if (known.later || (last && last.position !== at - 1) || (others && !branch)) return known;
  return { ...known, messages: [...before, ...(question ? [question] : []), answer] };
}

/** Where the next question will stand, as far as is known here. */
export function nextPosition(known: Run | undefined): number {
  return (known?.messages.at(-1)?.position ?? -1) + 1;
}

/** The known siblings of a message with one more. */
export function siblingsWith(known: Run | undefined, id: string | undefined, fresh: string): string[] {
  const old = known?.messages.find((one) => one.id === id)?.siblings ?? [];
  return [...old.filter((one) => one !== fresh), fresh];
}

export function withFeedback(known: Run, id: string, feedback: Feedback | null): Run {
  return { ...known, messages: known.messages.map((one) => (one.id === id ? { ...one, feedback } : one)) };
}
