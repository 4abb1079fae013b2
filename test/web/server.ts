/** The server without a socket, for tests: requests are put in, answers come out. */
import type { Test } from 'tap';
import { buildWeb } from '../../firmware/web/server.ts';
import { HandClock } from './clock.ts';
import { depsOf, Home } from './home.ts';

export const API = '/api/v1';
export const PASSWORD = 'correct horse';
export const PAGE = new Map(
  (
    [
      ['/setup', 'gate'],
      ['/sign-in', 'gate'],
      ['/gate.js', 'gate'],
      ['/', 'home'],
      ['/home.js', 'home'],
    ] as const
  ).map(([address, access]) => [
    address,
    { access, type: 'text/html', bytes: Buffer.from(`file ${address}`), gzip: null, etag: `"${address}"` },
  ]),
);

export async function start(t: Test) {
  const clock = new HandClock();
  const home = new Home(clock);
  const built = await buildWeb(depsOf(home), PAGE);
  t.teardown(() => built.app.close());
  const call = async (method: 'GET' | 'POST' | 'DELETE' | 'PUT', url: string, more: object = {}) => {
    const answer = await built.app.inject({ method, url: url.startsWith('/api') ? url : API + url, ...more });
    const type = String(answer.headers['content-type'] ?? '');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: type.includes('json') ? answer.json() : answer.body,
    };
  };
  const setUp = async (): Promise<{ cookies: { hearth: string } }> => {
    const answer = await call('POST', '/setup', { payload: { password: PASSWORD } });
    t.equal(answer.status, 204);
    return { cookies: { hearth: tokenOf(answer.headers['set-cookie']) } };
  };
  return { ...built, clock, home, call, setUp };
}

export const tokenOf = (header: unknown): string => /hearth=([^;]*)/.exec(String(header))?.[1] ?? '';
