import { describe, expect, it } from 'vitest';

import { LiveAnswer } from './liveAnswer';
import type { Message } from './messages';
import { rowsOf } from './rows';
import type { Turn } from './turns';

function message(position: number, id = `m${position}`): Message {
  const role = position % 2 ? 'assistant' : 'user';
  const created_at = '2026-01-01T00:00:00Z';
  return {
    id,
    position,
    role,
    content: id,
    state: 'complete',
    details: {},
    created_at,
    siblings: [id],
    feedback: null,
  };
}

function turn(key: string, position: number, change: Partial<Turn> & { over?: boolean } = {}): Turn {
  const main = new LiveAnswer({
    variant: null,
    gain: null,
    temperature: null,
    system: null,
    documents: null,
    form: null,
  });
  if (change.over) main.end({ phase: 'failed', error: new Error() });
  const ids = { sessionId: 's', questionId: null, answerId: null };
  return { key, position, branch: null, message: key, main, beside: null, ...ids, ...change };
}

const kept = [message(0), message(1)];
const keys = (messages: Message[], turns: Turn[]) => rowsOf(messages, turns).map((row) => row.key);

describe('rowsOf', () => {
  it('draws what is kept, then what is on its way', () => {
    const rows = rowsOf(kept, [turn('t', 2)]);
    expect(rows.map((row) => row.key)).toEqual(['m0', 'm1', 't q', 't a']);
    expect(rows.at(-1)).toMatchObject({ kind: 'answer', question: 't', message: null, last: true });
    expect(rows[1]).toMatchObject({ question: 'm0', last: false });
  });

  it('keeps the keys of a turn when the studio tells of it', () => {
    const begun = turn('t', 2, { questionId: 'm2', answerId: 'm3' });
    expect(keys([...kept, message(2)], [begun])).toEqual(['m0', 'm1', 't q', 't a']);
    expect(keys([...kept, message(2), message(3)], [begun])).toEqual(['m0', 'm1', 't q', 't a']);
  });

  it('leaves a question that never arrived where it was asked', () => {
    const lost = turn('lost', 2, { over: true });
    const next = turn('next', 2, { questionId: 'm2', answerId: 'm3' });
    const expected = ['m0', 'm1', 'lost q', 'lost a', 'next q', 'next a'];
    expect(keys([...kept, message(2), message(3)], [lost, next])).toEqual(expected);
    expect(keys([...kept, message(2), message(3)], [lost])).toEqual([
      'm0',
      'm1',
      'm2',
      'm3',
      'lost q',
      'lost a',
    ]);
  });

  it('forgets a turn that the conversation no longer holds', () => {
    const gone = turn('gone', 0, { questionId: 'x', answerId: 'y', over: true });
    expect(keys(kept, [gone])).toEqual(['m0', 'm1']);
  });

  it('has no two rows of one key', () => {
    const turns = [
      turn('a', 0, { over: true }),
      turn('b', 0, { questionId: 'm0', answerId: 'm1' }),
      turn('c', 2),
    ];
    const all = keys([...kept, message(2), message(3)], turns);
    expect(new Set(all).size).toBe(all.length);
  });
});
