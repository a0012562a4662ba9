/** What the list of messages draws, one row each: what the studio keeps, then what is still on its way. */
import type { Message } from './messages';
import { isOver, type Turn } from './turns';

export type Row =
  | { kind: 'system'; key: string; message: Message }
  | { kind: 'question'; key: string; text: string; message: Message | null; turn: Turn | null }
  | {
      kind: 'answer';
      key: string;
      question: string;
      /** Null while the studio has not told of it, or keeps nothing. */
      message: Message | null;
      /** Where this page asked for it. */
      turn: Turn | null;
      last: boolean;
    };

/** The rows of one conversation; keys stay the same when a turn goes over into a kept message. */
export function rowsOf(messages: readonly Message[], turns: readonly Turn[]): Row[] {
  const asked = new Map<string, Turn>();
  for (const turn of turns) {
    if (turn.questionId && turn.branch?.kind !== 'again') asked.set(turn.questionId, turn);
    if (turn.answerId) asked.set(turn.answerId, turn);
  }
  const answered = new Set(messages.map(({ id }) => id));
  const end = messages.at(-1)?.position ?? -1;
  const waiting = turns.filter((turn) => {
    if (!turn.answerId) return true;
    // A kept turn that is over, and yet not there: another branch is shown, or it was changed elsewhere.
    return !answered.has(turn.answerId) && !(isOver(turn) && end > turn.position);
  });
  const rows: Row[] = [];
  const draw = (turn: Turn) => {
    const { key, message } = turn;
    if (turn.branch?.kind !== 'again' && rows.at(-1)?.key !== `${key} q`)
      rows.push({ kind: 'question', key: `${key} q`, text: message, message: null, turn });
    rows.push({ kind: 'answer', key: `${key} a`, question: message, message: null, turn, last: false });
  };
  const drawUntil = (next: Turn | null) => {
    while (waiting[0] && (!next || turns.indexOf(waiting[0]) < turns.indexOf(next)))
      draw(waiting.shift() as Turn);
  };
  let question = '';
  for (const message of withoutOtherBranch(messages, waiting)) {
    const turn = asked.get(message.id) ?? null;
    // What never reached the studio stays where it was asked.
    if (turn && message.id === turn.questionId) drawUntil(turn);
    if (message.role === 'system') rows.push({ kind: 'system', key: message.id, message });
    else if (message.role === 'user') {
      question = message.content;
      const key = turn ? `${turn.key} q` : message.id;
      rows.push({ kind: 'question', key, text: question, message, turn });
    } else {
      const key = turn ? `${turn.key} a` : message.id;
      rows.push({ kind: 'answer', key, question, message, turn, last: false });
    }
  }
  drawUntil(null);
  const last = rows.at(-1);
  if (last?.kind === 'answer') last.last = true;
  return rows;
}

/** What a branch that is on its way replaces is not drawn beside it. */
function withoutOtherBranch(messages: readonly Message[], waiting: readonly Turn[]): readonly Message[] {
  const turn = waiting.findLast(({ branch }) => branch !== null);
  if (!turn) return messages;
  const first = turn.branch?.kind === 'again' ? turn.position + 1 : turn.position;
  return messages.filter(({ position }) => position < first);
}

/** Where a row's message stands in the conversation. */
export const positionOf = (row: Row): number | null => row.message?.position ?? null;
