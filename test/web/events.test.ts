/** The stream of events, over a real socket. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { viewSchema } from '../../firmware/web/schema.ts';
import { openWeb } from '../../firmware/web/server.ts';
import { NOON, realClock } from './clock.ts';
import { depsOf, Home } from './home.ts';

import { API, PASSWORD, tokenOf } from './server.ts';

/** Reads a stream of events from a real socket. */
function listen(port: number, cookie: string) {
  const events: { event: string; data: string }[] = [];
  let wake = (): void => {};
  let text = '';
  const state = { status: 0, ended: false };
  const req = request(
    { port, host: '127.0.0.1', path: `${API}/events`, headers: { cookie, host: 'localhost' } },
    (res) => {
      state.status = res.statusCode ?? 0;
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const [event = '', data = ''] = block.split('\n');
          events.push({ event: event.slice(7), data: data.slice(6) });
        }
        wake();
      });
      res.on('close', () => {
        state.ended = true;
        wake();
      });
      wake();
    },
  );
  req.on('error', () => {
    state.ended = true;
    wake();
  });
  req.end();
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { events, state, until, stop: () => req.destroy() };
}

test('events over a real socket: at once, then at most one a second, bounded, and over with the session', async (t) => {
  const home = new Home(realClock(NOON - Date.now()));
  const web = await openWeb({ host: '127.0.0.1', port: 0 }, depsOf(home));
  t.teardown(() => web.close());
  const post = (path: string, method: string, body: unknown, cookie = '') =>
    fetch(`http://127.0.0.1:${web.port}${API}${path}`, {
      method,
      headers: { cookie, ...(body === null ? {} : { 'content-type': 'application/json' }) },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
  const cookie = `hearth=${tokenOf((await post('/setup', 'POST', { password: PASSWORD })).headers.get('set-cookie'))}`;
  const stream = listen(web.port, cookie);
  await stream.until(() => stream.events.length === 1);
  t.equal(stream.state.status, 200);
  t.match(stream.events[0], { event: 'state', data: /"power_W":3840/ });
  const began = performance.now();
  for (const power of [1000, 2000, 3000]) {
    home.grid_W = power;
    web.notify();
  }
  await stream.until(() => stream.events.length === 2);
  t.ok(performance.now() - began > 700, 'not before a second is over');
  t.equal(viewSchema.parse(JSON.parse(stream.events[1]?.data ?? '')).grid.power_W, 3000, 'the newest only');

  const rest = Array.from({ length: LIMITS.sseClients - 1 }, () => listen(web.port, cookie));
  await Promise.all(rest.map((one) => one.until(() => one.events.length > 0)));
  const more = listen(web.port, cookie);
  await more.until(() => more.state.status !== 0);
  t.equal(more.state.status, 429, 'one too many');
  rest[0]?.stop();
  await rest[0]?.until(() => rest[0]?.state.ended === true);
  let status = 429;
  for (let tries = 0; tries < 50 && status === 429; tries += 1) {
    // The server hears of it a little later than we do.
    const again = listen(web.port, cookie);
    await again.until(() => again.state.status !== 0);
    status = again.state.status;
  }
  t.equal(status, 200, 'a page that went away makes room');

  t.equal((await post('/session', 'DELETE', null, cookie)).status, 204);
  web.notify();
  await stream.until(() => stream.state.ended);
  t.ok(stream.state.ended, 'signed out: the stream ends');
  t.equal(
    (await openWeb({ host: '127.0.0.1', port: web.port }, depsOf(home)).catch((e) => e)).code,
    'LINK_REFUSED',
  );
});

test('nobody takes all connections', async (t) => {
  const home = new Home(realClock(NOON - Date.now()));
  const web = await openWeb({ host: '127.0.0.1', port: 0 }, depsOf(home));
  t.teardown(() => web.close());
  const open = Array.from({ length: LIMITS.webConnections }, () => connect(web.port, '127.0.0.1'));
  t.teardown(() => open.forEach((socket) => void socket.destroy()));
  await Promise.all(open.map((socket) => once(socket, 'connect')));
  const more = connect(web.port, '127.0.0.1');
  more.on('error', () => {});
  await once(more, 'close');
  open[0]?.destroy();
  const answer = async (): Promise<number> =>
    fetch(`http://127.0.0.1:${web.port}/setup`, { headers: { connection: 'close' } }).then(
      ({ status }) => status,
      () => 0,
    );
  let status = 0;
  // The server hears of it a little later than we do.
  for (let tries = 0; tries < 50 && status === 0; tries += 1) status = await answer();
  t.equal(status, 200, 'who goes makes room');
});
