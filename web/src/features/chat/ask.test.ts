import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ask, BrokenOff } from './ask';
import { sessionKey } from './queries';
import { turn as turnOf } from './turns';

const choice = {
  variant: 'base',
  gain: null,
  temperature: null,
  system: null,
  documents: null,
  form: null,
};
const by = { variant: 'base', gains: {}, left_out: 0 };
const started = { session_id: 's', question_id: 'q', answer_id: 'a', waiting: 0, by };
const whole = { text: 'Hello there', finish_reason: 'stop', usage: {}, timing: {}, ...started };

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const tokens =
  event('start', started) + event('token', { text: 'Hello ' }) + event('token', { text: 'there' });

function answering(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'Content-Type': 'text/event-stream' } });
}

const refusal = (code: string) =>
  answering(JSON.stringify({ type: `urn:twotrack:error:${code}`, detail: code, status: 409 }), 409);

const sentBody = (call: number) =>
  JSON.parse(String(vi.mocked(fetch).mock.calls[call]?.[1]?.body)) as Record<string, unknown>;

let client: QueryClient;
beforeEach(() => {
  client = new QueryClient();
  vi.stubGlobal('fetch', vi.fn<typeof fetch>());
});
afterEach(() => vi.unstubAllGlobals());

function start(beside = false, sessionId: string | null = null) {
  const onSession = vi.fn();
  const question = {
    message: 'Hi',
    sessionId,
    main: choice,
    beside: beside ? { ...choice, variant: 'other' } : null,
  };
  const turn = ask(question, { client, language: 'en', onSession });
  return { turn, onSession };
}

describe('ask', () => {
  it('follows an answer to its end and puts it into the conversation', async () => {
    vi.mocked(fetch).mockResolvedValue(answering(tokens + event('end', whole)));
    const page = { id: 's', title: '', created_at: '', updated_at: '', messages: [], earlier: false };
    client.setQueryData(sessionKey('s'), page);
    const { turn, onSession } = start();
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('done'));
    expect(turn.main.get().text).toBe('Hello there');
    expect(onSession).toHaveBeenCalledWith('s');
    expect(turnOf(turn.key)).toMatchObject({ sessionId: 's', questionId: 'q', answerId: 'a' });
    await vi.waitFor(() =>
      expect(client.getQueryData(sessionKey('s'))).toMatchObject({
        messages: [
          { id: 'q', content: 'Hi' },
          { id: 'a', content: 'Hello there', state: 'complete' },
        ],
      }),
    );
  });

  it('asks documents where some are chosen, and keeps what the answer rests on', async () => {
    const found = {
      ...{ collection: 'town', mode: 'quote', variant: null, searched: 'Hi', confidence: 0.7 },
      passages: [],
    };
    const ids = { session_id: 's', question_id: 'q', answer_id: 'a' };
    const answer = { answer: 'Hello', citations: [], sentences: [], abstained: false };
    vi.mocked(fetch).mockResolvedValue(
      answering(
        event('start', { ...found, ...ids }) +
          event('token', { text: 'Hello' }) +
          event('end', { ...found, ...answer, ...ids }),
      ),
    );
    const page = { id: 's', title: '', created_at: '', updated_at: '', messages: [], earlier: false };
    client.setQueryData(sessionKey('s'), page);
    const main = { ...choice, documents: 'town', form: 'quote' as const, system: 'Be brief.' };
    const around = { client, language: 'en', onSession: vi.fn() };
    const branch = { kind: 'edit' as const, id: 'old', position: 0 };
    const turn = ask({ message: 'Hi', sessionId: 's', main, beside: null, branch }, around);
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('done'));
    expect(vi.mocked(fetch).mock.calls[0]?.[0]).toBe('/api/rag/stream');
    expect(sentBody(0)).toEqual({
      ...{ question: 'Hi', session_id: 's', replaces: 'old', keep: true },
      ...{ collection: 'town', variant: 'base', mode: 'quote' },
    });
    const { passages: _, ...kept } = found;
    const rag = { ...kept, citations: [], sentences: [], abstained: false };
    await vi.waitFor(() =>
      expect(client.getQueryData(sessionKey('s'))).toMatchObject({
        messages: [
          { id: 'q', siblings: ['q'] },
          { id: 'a', content: 'Hello', details: { rag } },
        ],
      }),
    );
  });

  it('keeps what had come when the connection ends without an end', async () => {
    vi.mocked(fetch).mockResolvedValue(answering(tokens));
    const { turn } = start();
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('failed'));
    expect(turn.main.get().text).toBe('Hello there');
    expect(turn.main.get().error).toBeInstanceOf(BrokenOff);
  });

  it('tells an error of the studio as the studio tells it', async () => {
    const problem = { detail: 'The engine is gone.', remedy: 'Ask again.', status: 503 };
    vi.mocked(fetch).mockResolvedValue(answering(tokens + event('error', problem)));
    const { turn } = start();
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('failed'));
    expect(turn.main.get().error).toMatchObject({ problem });
  });

  it('stops when told to', async () => {
    vi.mocked(fetch).mockImplementation(
      (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        }),
    );
    const { turn } = start();
    turn.main.abort.abort();
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('stopped'));
  });

  it('does not keep the answer beside, and lets it read the conversation first', async () => {
    const unkept = { ...started, session_id: null, question_id: null, answer_id: null };
    let release: () => void = () => undefined;
    const second = new Promise<Response>((resolve) => {
      release = () => resolve(answering(event('start', unkept) + event('end', { ...whole, ...unkept })));
    });
    vi.mocked(fetch)
      .mockReturnValueOnce(second)
      .mockResolvedValueOnce(answering(tokens + event('end', whole)));
    const { turn } = start(true, 's');
    await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(1));
    expect(sentBody(0)).toMatchObject({ variant: 'other', keep: false, session_id: 's' });
    release();
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('done'));
    expect(sentBody(1)).toMatchObject({ variant: 'base', keep: true, session_id: 's' });
    expect(turn.beside?.get().phase).toBe('done');
  });

  it('shows a conflict with another window, and does not ask again by itself', async () => {
    vi.mocked(fetch).mockResolvedValue(refusal('session-changed'));
    const { turn } = start(false, 'elsewhere');
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('failed'));
    expect(turn.main.get().error).toMatchObject({ problem: { status: 409 } });
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('waits for the studio to put a stopped answer away', async () => {
    vi.mocked(fetch).mockImplementationOnce(
      (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        }),
    );
    const first = start(false, 'stopped').turn;
    first.main.abort.abort();
    await vi.waitFor(() => expect(first.main.over).toBe(true));
    vi.mocked(fetch)
      .mockResolvedValueOnce(refusal('session-busy'))
      .mockResolvedValueOnce(answering(tokens + event('end', whole)));
    const { turn } = start(false, 'stopped');
    await vi.waitFor(() => expect(turn.main.get().phase).toBe('done'));
  });
});
