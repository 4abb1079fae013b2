/** Calls to the gateway. A refusal comes back as its sentence; a session that is over leads to the sign-in page. */

const PREFIX = '/api/v1';

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

const UNREACHABLE = 'The gateway cannot be reached. Are you on your home network?';

async function call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  try {
    const response = await fetch(PREFIX + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (response.status === 204) return { ok: true, value: undefined as T };
    const answer = await response.json();
    if (response.ok) return { ok: true, value: answer as T };
    if (response.status === 401 && location.pathname === '/') location.assign('/sign-in');
    return { ok: false, message: typeof answer.message === 'string' ? answer.message : UNREACHABLE };
  } catch {
    return { ok: false, message: UNREACHABLE };
  }
}

export const get = <T>(path: string): Promise<Answer<T>> => call('GET', path);
/** A question that has an answer. */
export const ask = <T>(path: string, body: unknown): Promise<Answer<T>> => call('POST', path, body);
export const post = (path: string, body: unknown): Promise<Answer<undefined>> => call('POST', path, body);
export const remove = (path: string): Promise<Answer<undefined>> => call('DELETE', path);
