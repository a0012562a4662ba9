import { describe, expect, it } from 'vitest';

import { nextPosition, withEarlier, withNewest, withTurn, type Message, type SessionPage } from './messages';

function message(position: number, change: Partial<Message> = {}): Message {
  return {
    id: `m${position}`,
    position,
    role: position % 2 ? 'assistant' : 'user',
    content: `text ${position}`,
    state: 'complete',
    details: {},
    created_at: '2026-01-01T00:00:00Z',
    siblings: [`m${position}`],
    feedback: null,
    ...change,
  };
}

function page(from: number, to: number, change: Partial<SessionPage> = {}): SessionPage {
  const messages = Array.from({ length: Math.max(0, to - from) }, (_, index) => message(from + index));
  const moment = '2026-01-01T00:00:00Z';
  return {
    id: 's',
    title: 't',
    created_at: moment,
    updated_at: moment,
    messages,
    earlier: from > 0,
    ...change,
  };
}

const positions = (session: SessionPage) => session.messages.map((one) => one.position);

describe('withNewest', () => {
  it('keeps the older messages that were loaded before', () => {
    const known = page(2, 8, { earlier: true });
    const fresh = withNewest(known, page(6, 10));
    expect(positions(fresh)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(fresh.earlier).toBe(true);
  });

  it('takes the studio’s word for what both know', () => {
    const fresh = page(0, 2);
    fresh.messages[1] = message(1, { content: 'whole', state: 'complete' });
    const known = page(0, 2);
    known.messages[1] = message(1, { content: 'who', state: 'streaming' });
    expect(withNewest(known, fresh).messages[1]?.content).toBe('whole');
  });

  it('starts afresh where a gap would be left', () => {
    expect(positions(withNewest(page(0, 4), page(6, 10)))).toEqual([6, 7, 8, 9]);
  });

  it('is the page itself where nothing was known, or nothing is left', () => {
    expect(positions(withNewest(undefined, page(4, 6)))).toEqual([4, 5]);
    expect(positions(withNewest(page(0, 4), page(0, 0)))).toEqual([]);
  });
});

describe('withEarlier', () => {
  it('puts a page before what is known', () => {
    const session = withEarlier(page(4, 6), page(0, 4));
    expect(positions(session)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(session.earlier).toBe(false);
  });

  it('changes nothing with a page that does not join up, such as one that came twice', () => {
    const known = page(4, 6);
    expect(withEarlier(known, page(0, 2))).toBe(known);
    expect(withEarlier(known, page(4, 6))).toBe(known);
  });

  it('knows the beginning from an empty page', () => {
    expect(withEarlier(page(4, 6), page(0, 0)).earlier).toBe(false);
  });
});

describe('withTurn', () => {
  it('adds a turn at the end, once', () => {
    const once = withTurn(page(0, 2), message(2), message(3), false);
    expect(positions(once)).toEqual([0, 1, 2, 3]);
    expect(positions(withTurn(once, message(2), message(3, { content: 'whole' }), false))).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('changes nothing where another window has asked meanwhile', () => {
    const known = page(0, 4);
    expect(withTurn(known, message(2, { id: 'q' }), message(3, { id: 'a' }), false)).toBe(known);
  });
});

it('nextPosition follows the last message', () => {
  expect(nextPosition(undefined)).toBe(0);
  expect(nextPosition(page(4, 6))).toBe(6);
});
