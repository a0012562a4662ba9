/** Server-sent events by fetch (WHATWG HTML, section 9.2): EventSource sends neither a key nor a body. */
import { lock } from './access';
import { send } from './client';
import type { Problem } from './problem';

export interface ServerEvent {
  event: string;
  data: unknown;
}

export async function* streamEvents(
  path: string,
  options: { body?: unknown; signal?: AbortSignal; language: string },
): AsyncGenerator<ServerEvent> {
  const headers: Record<string, string> = { 'Accept-Language': options.language };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const response = await send(path, {
    method: options.body === undefined ? 'GET' : 'POST',
    headers,
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (!response.body) return;
  for await (const event of parseEvents(response.body.pipeThrough(new TextDecoderStream()))) {
    // The key was taken back in mid-stream.
    if (event.event === 'error' && (event.data as Partial<Problem>).status === 401)
      lock(event.data as Problem);
    yield event;
  }
}

export async function* parseEvents(chunks: ReadableStream<string>): AsyncGenerator<ServerEvent> {
  const reader = chunks.getReader();
  let rest = '';
  let event = 'message';
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      for (const raw of lines) {
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
        if (line === '') {
          if (data.length) yield { event, data: JSON.parse(data.join('\n')) as unknown };
          event = 'message';
          data = [];
        } else if (line.startsWith('event:')) event = line.slice(6).trim();
        else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      }
    }
  } finally {
    // Whoever stops reading (a pressed stop button, a closed view) ends the request with it.
    await reader.cancel().catch(() => undefined);
  }
}
