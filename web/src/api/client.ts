/** Requests to the studio. The types in client/schema.d.ts are generated: `npm run client`. */
import createClient from 'openapi-fetch';

import type { paths } from '../client/schema';
import { accessState, lock, setAway } from './access';
import { connection } from './connection';
import { isUnreachable, ProblemError, problemOf } from './problem';

/** The studio's address is known only when a request is made, later than this module is read. */
class StudioRequest extends Request {
  constructor(path: RequestInfo | URL, init?: RequestInit) {
    super(typeof path === 'string' ? connection().address + path : path, init);
  }
}

/** Like fetch, for a path of the studio. Whatever is not ok is thrown here once, so that no caller forgets it. */
export async function send(target: string | Request, init: RequestInit = {}): Promise<Response> {
  const { locked } = accessState();
  if (locked?.problem) throw new ProblemError(locked.problem);
  const { address, key } = connection();
  const request = target instanceof Request ? target : null;
  const headers = new Headers(request ? request.headers : init.headers);
  if (key) headers.set('Authorization', `Bearer ${key}`);
  if (!headers.has('Accept-Language')) headers.set('Accept-Language', document.documentElement.lang);
  let response: Response;
  try {
    response = await fetch(request ?? `${address}${target as string}`, { ...init, headers });
  } catch (error) {
    if (!(request ?? init).signal?.aborted) setAway(true);
    throw error;
  }
  if (response.ok) {
    setAway(false);
    return response;
  }
  const error = new ProblemError(await problemOf(response));
  setAway(isUnreachable(error));
  // A late answer to a request with a key that has been replaced since says nothing about the present one.
  if (response.status === 401 && key === connection().key) lock(error.problem);
  throw error;
}

export const api = createClient<paths>({
  baseUrl: '',
  Request: StudioRequest,
  fetch: (request) => send(request),
});

/** The body of a response whose errors have been thrown already. */
export function body<T>(result: { data?: T }): T {
  if (result.data === undefined) throw new Error('the studio answered without a body');
  return result.data;
}
