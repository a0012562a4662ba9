import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { accessState, setAway, unlock } from './access';
import { send } from './client';
import { connect } from './connection';
import { streamEvents } from './events';

const problem = (status: number, headers: Record<string, string> = {}) =>
  Response.json({ type: 'urn:twotrack:error:x', status, detail: 'why' }, { status, headers });

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn<typeof fetch>());
  connect({ address: '', key: 'ttk-1' }, false);
});
afterEach(() => {
  vi.unstubAllGlobals();
  unlock();
  setAway(false);
});

it('sends the key and the language, whoever makes the request', async () => {
  vi.mocked(fetch).mockImplementation(async () => new Response('{}'));
  document.documentElement.lang = 'ko';
  await send('/api/me');
  await send(new Request('http://studio.example/api/me'));
  for (const [, init] of vi.mocked(fetch).mock.calls) {
    const headers = new Headers(init?.headers);
    expect(headers.get('Authorization')).toBe('Bearer ttk-1');
    expect(headers.get('Accept-Language')).toBe('ko');
  }
});

it('asks for a key after a 401, and sends nothing more until there is one', async () => {
  vi.mocked(fetch).mockImplementation(async () => problem(401));
  await expect(send('/api/me')).rejects.toThrow('why');
  expect(accessState().locked).toMatchObject({ wished: false, problem: { status: 401 } });
  await expect(send('/api/models')).rejects.toThrow('why');
  expect(fetch).toHaveBeenCalledTimes(1);
  unlock();
  await expect(send('/api/models')).rejects.toThrow('why');
  expect(fetch).toHaveBeenCalledTimes(2);
});

it('does not ask because of a late answer to a key of before', async () => {
  vi.mocked(fetch).mockImplementation(async () => {
    connect({ address: '', key: 'ttk-2' }, false);
    return problem(401);
  });
  await expect(send('/api/me')).rejects.toThrow('why');
  expect(accessState().locked).toBeNull();
});

it.each([403, 404, 409, 429])('goes on after a %d', async (status) => {
  vi.mocked(fetch).mockResolvedValue(problem(status, { 'Retry-After': '7' }));
  await expect(send('/api/me')).rejects.toMatchObject({ problem: { status, retryAfter: 7 } });
  expect(accessState()).toEqual({ locked: null, away: false });
});

it('knows that the studio is away, and that it is back', async () => {
  vi.mocked(fetch).mockRejectedValueOnce(new TypeError('Failed to fetch'));
  await expect(send('/api/me')).rejects.toThrow(TypeError);
  expect(accessState().away).toBe(true);
  vi.mocked(fetch).mockResolvedValueOnce(problem(404));
  await expect(send('/api/me')).rejects.toThrow('why');
  expect(accessState().away).toBe(false);
  vi.mocked(fetch).mockResolvedValueOnce(new Response('<h1>Bad gateway</h1>', { status: 502 }));
  await expect(send('/api/me')).rejects.toThrow('HTTP 502');
  expect(accessState().away).toBe(true);
});

it('does not take a stopped request for a studio that is away', async () => {
  const stop = new AbortController();
  stop.abort();
  vi.mocked(fetch).mockRejectedValue(stop.signal.reason);
  await expect(send('/api/me', { signal: stop.signal })).rejects.toThrow();
  expect(accessState().away).toBe(false);
});

it('asks for a key when a stream ends because its key did', async () => {
  const frames =
    'event: token\ndata: {"text":"a"}\n\nevent: error\ndata: {"status":401,"detail":"ended"}\n\n';
  vi.mocked(fetch).mockResolvedValue(new Response(frames));
  const events = [];
  for await (const event of streamEvents('/api/chat/stream', { body: {}, language: 'en' }))
    events.push(event);
  expect(events).toHaveLength(2);
  expect(accessState().locked?.problem).toMatchObject({ status: 401, detail: 'ended' });
});
