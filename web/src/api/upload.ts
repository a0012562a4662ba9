/** A form with files to the studio, telling how much of it has gone: what fetch cannot tell. */
import { accessState, lock, setAway } from './access';
import { connection } from './connection';
import { isUnreachable, ProblemError, problemOf } from './problem';

/** The studio's answer. Throws as `send` does; an abort throws the signal's reason.
 *
 * @param told The part of the body that has gone, from 0 to 1.
 */
export function upload(
  path: string,
  form: FormData,
  { signal, told }: { signal: AbortSignal; told: (fraction: number) => void },
): Promise<unknown> {
  const { locked } = accessState();
  if (locked?.problem) return Promise.reject(new ProblemError(locked.problem));
  const { address, key } = connection();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address + path);
    if (key) request.setRequestHeader('Authorization', `Bearer ${key}`);
    request.setRequestHeader('Accept-Language', document.documentElement.lang);
    request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0);
    request.onerror = () => {
      setAway(true);
      reject(new TypeError('the upload broke off'));
    };
    request.onabort = () => reject(signal.reason as Error);
    request.onload = () => {
      void answerOf(request, key).then(resolve, reject);
    };
    signal.addEventListener('abort', () => request.abort(), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
    else request.send(form);
  });
}

async function answerOf(request: XMLHttpRequest, key: string): Promise<unknown> {
  const retry = request.getResponseHeader('Retry-After');
  const response = new Response(request.responseText, {
    status: request.status,
    headers: retry === null ? {} : { 'Retry-After': retry },
  });
  if (response.ok) {
    setAway(false);
    return response.json();
  }
  const error = new ProblemError(await problemOf(response));
  setAway(isUnreachable(error));
  if (response.status === 401 && key === connection().key) lock(error.problem);
  throw error;
}
