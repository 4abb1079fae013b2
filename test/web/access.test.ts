/** Who may reach what: the first password, sessions, guessing, other sites, metrics. */
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { isOwnHost, isOwnOrigin } from '../../firmware/web/origin.ts';
import { buildWeb } from '../../firmware/web/server.ts';
import { HandClock } from './clock.ts';
import { depsOf, Home } from './home.ts';

import { API, PAGE, PASSWORD, start, tokenOf } from './server.ts';

test('before the password is set nothing but setting it can be reached', async (t) => {
  const { app, call, routes, home } = await start(t);
  for (const { method, path } of routes) {
    if (path === '/setup' || (path === '/session' && method === 'GET')) continue;
    const answer = await call(
      method,
      path.replace(':id', 'wallbox'),
      method === 'POST' ? { payload: {} } : {},
    );
    t.equal(answer.status, 403, `${method} ${path}`);
    t.equal(answer.body.code, 'NOT_ALLOWED');
  }
  for (const address of ['/', '/home.js', '/sign-in', '/nothing', '/metrics']) {
    const answer = await app.inject({ method: 'GET', url: address });
    t.equal(answer.statusCode, 302, address);
    t.equal(answer.headers.location, '/setup');
  }
  t.equal((await app.inject('/setup')).body, 'file /setup');
  t.equal((await app.inject('/gate.js')).statusCode, 200);
  t.strictSame((await call('GET', '/session')).body, {
    setUp: false,
    setupCode: false,
    signedIn: false,
    home: null,
  });

  const short = await call('POST', '/setup', { payload: { password: '1234567' } });
  t.match(short, {
    status: 400,
    body: { code: 'FORM_INVALID', message: /body\.password: must have at least 8/ },
  });
  t.equal((await call('POST', '/setup', { payload: { password: 'x'.repeat(257) } })).status, 400);
  t.equal(home.kept.size, 0, 'nothing was set');

  const both = await Promise.all([
    call('POST', '/setup', { payload: { password: PASSWORD } }),
    call('POST', '/setup', { payload: { password: 'another one' } }),
  ]);
  t.strictSame(both.map((answer) => answer.status).sort(), [204, 409], 'the first wins');
  t.equal((await call('POST', '/setup', { payload: { password: PASSWORD } })).body.code, 'ALREADY_DONE');
  const kept = [...home.kept.values()].join();
  t.notMatch(kept, PASSWORD, 'the password itself is kept nowhere');
  t.match(home.kept.get('web.password'), /^scrypt\$14\$8\$5\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
  t.equal((await app.inject('/setup')).headers.location, '/');
});

test('with a set-up code only who reads it on the board sets the password', async (t) => {
  const { app } = await buildWeb({ ...depsOf(new Home(new HandClock())), setupCode: 'K7-44' }, PAGE);
  t.teardown(() => app.close());
  const setup = (payload: object) => app.inject({ method: 'POST', url: `${API}/setup`, payload });
  t.match((await app.inject(`${API}/session`)).json(), { setUp: false, setupCode: true });
  t.equal((await setup({ password: PASSWORD })).json().code, 'NOT_ALLOWED');
  for (let i = 1; i < LIMITS.loginFailures; i++) await setup({ password: PASSWORD, code: `guess ${i}` });
  t.equal((await setup({ password: PASSWORD, code: 'K7-44' })).json().code, 'TOO_MANY', 'guessing ends');
});

test('the right set-up code', async (t) => {
  const { app } = await buildWeb({ ...depsOf(new Home(new HandClock())), setupCode: 'K7-44' }, PAGE);
  t.teardown(() => app.close());
  const payload = { password: PASSWORD, code: ' K7-44 ' };
  t.equal((await app.inject({ method: 'POST', url: `${API}/setup`, payload })).statusCode, 204);
  t.match((await app.inject(`${API}/session`)).json(), { setUp: true, setupCode: false });
});

test('changing the password ends every other session', async (t) => {
  const { call, setUp, home } = await start(t);
  const owner = await setUp();
  const change = (password: string, next: string) =>
    call('POST', '/password', { ...owner, payload: { password, next } });
  t.match(await change('wrong one', 'a new password'), { status: 403, body: { code: 'NOT_ALLOWED' } });
  t.match(await change(PASSWORD, 'short'), { status: 400, body: { code: 'FORM_INVALID' } });
  t.equal((await call('GET', '/state', owner)).status, 200, 'nothing changed');
  const changed = await change(PASSWORD, 'a new password');
  t.equal(changed.status, 204);
  t.equal((await call('GET', '/state', owner)).status, 401);
  const mine = { cookies: { hearth: tokenOf(changed.headers['set-cookie']) } };
  t.equal((await call('GET', '/state', mine)).status, 200, 'who changed it stays');
  const signIn = (password: string) => call('POST', '/session', { payload: { password } });
  t.equal((await signIn(PASSWORD)).status, 401);
  t.equal((await signIn('a new password')).status, 204);
  t.notMatch([...home.kept.values()].join(), 'a new password');
});

test('signing in and out', async (t) => {
  const { app, call, setUp, clock, home } = await start(t);
  const owner = await setUp();
  t.notMatch(home.kept.get('web.sessions'), owner.cookies.hearth, 'only the hash of a session is kept');
  t.equal((await call('GET', '/state', owner)).status, 200);
  t.match(await call('GET', '/state'), { status: 401, body: { code: 'NOT_AUTHENTICATED' } });
  t.equal((await call('GET', '/state', { cookies: { hearth: 'A'.repeat(43) } })).status, 401);
  t.equal((await app.inject('/')).headers.location, '/sign-in');
  t.equal((await app.inject({ url: '/', ...owner })).body, 'file /');
  t.equal((await app.inject({ url: '/home.js' })).headers.location, '/sign-in');

  const signed = await call('POST', '/session', { payload: { password: PASSWORD } });
  t.match(
    String(signed.headers['set-cookie']),
    /hearth=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict/,
  );
  const second = { cookies: { hearth: tokenOf(signed.headers['set-cookie']) } };
  t.equal((await call('DELETE', '/session', second)).status, 204);
  t.equal((await call('GET', '/state', second)).status, 401, 'signed out');
  t.equal((await call('GET', '/state', owner)).status, 200, 'the other session goes on');

  const restarted = await buildWeb(depsOf(home), PAGE);
  t.teardown(() => restarted.app.close());
  t.equal(
    (await restarted.app.inject({ url: `${API}/state`, ...owner })).statusCode,
    200,
    'kept over a restart',
  );
  clock.move(LIMITS.sessionMs);
  t.equal((await call('GET', '/state', owner)).status, 401, 'it ends by itself');
});

test('a password cannot be guessed, sessions are bounded', async (t) => {
  const { call, setUp, clock, home } = await start(t);
  const owner = await setUp();
  const guess = (password: string, remoteAddress: string) =>
    call('POST', '/session', { payload: { password }, remoteAddress });
  for (let i = 0; i < LIMITS.loginFailures; i += 1) {
    t.equal((await guess(`guess ${i}`, '192.168.1.66')).body.code, 'NOT_AUTHENTICATED');
  }
  const refused = await guess(PASSWORD, '192.168.1.66');
  t.match(refused, { status: 429, body: { code: 'TOO_MANY' }, headers: { 'retry-after': '900' } });
  t.equal((await guess(PASSWORD, '192.168.1.5')).status, 204, 'another address is not locked out');
  t.ok(home.entries.some((e) => e.code === 'TOO_MANY' && String(e.detail.message).includes('192.168.1.66')));
  clock.move(LIMITS.loginWindowMs);
  t.equal((await guess(PASSWORD, '192.168.1.66')).status, 204, 'after the window');
  const flood = await Promise.all(Array.from({ length: 12 }, (_, i) => guess(`x${i}`, `10.0.0.${i}`)));
  t.equal(flood.filter((a) => a.status === 401).length, LIMITS.passwordChecks, 'few are checked at a time');
  t.equal(flood.filter((a) => a.status === 429).length, 12 - LIMITS.passwordChecks);

  const { Sessions } = await import('../../firmware/web/sessions.ts');
  const sessions = new Sessions(home.settings, depsOf(home).random, clock);
  const tokens = Array.from({ length: LIMITS.sessions }, () => sessions.open());
  t.ok(tokens.every((token) => sessions.find(token) !== null));
  t.equal(sessions.find(owner.cookies.hearth), null, 'the oldest gave way');
  home.kept.set('web.sessions', '{"broken');
  t.equal(new Sessions(home.settings, depsOf(home).random, clock).find(tokens[0]), null);
});

test('strangers cannot lock the owner out, and nobody guesses without end', async (t) => {
  const { call, setUp, clock } = await start(t);
  const owner = await setUp();
  const guess = (password: string, remoteAddress: string, as: object = {}) =>
    call('POST', '/session', { payload: { password }, remoteAddress, ...as });
  t.equal((await guess(PASSWORD, '10.0.0.2')).status, 204, 'the owner signed in from here');
  // All at once, so that few are checked; each counts.
  const flood = () =>
    Promise.all(
      Array.from({ length: LIMITS.loginFailuresAll }, (_, i) => guess('wrong', `fd00::${(i % 12) + 1}`)),
    );
  await flood();
  t.equal((await guess('wrong', 'fd00::99')).status, 429, 'whoever is not known waits');
  t.equal((await guess(PASSWORD, '10.0.0.2')).status, 204, 'the owner does not');
  t.equal((await guess(PASSWORD, '10.0.0.3', owner)).status, 204, 'nor does a session, wherever it is');

  for (let i = 0; i < LIMITS.loginFailures; i += 1)
    t.equal((await guess('wrong', '10.0.0.2')).status, 401, 'a known address may be wrong so often');
  t.equal((await guess(PASSWORD, '10.0.0.2')).status, 429, 'and no more');
  for (let i = 0; i < LIMITS.loginFailures; i += 1)
    t.equal((await guess('wrong', `10.0.1.${i}`, owner)).status, 401);
  t.equal((await guess('wrong', '10.0.1.77', owner)).status, 429, 'so may a session, from wherever');
  clock.move(LIMITS.loginWindowMs);
  t.equal((await guess(PASSWORD, 'fd00::99')).status, 204, 'after the window everybody may');

  const changed = await call('POST', '/password', {
    ...owner,
    payload: { password: PASSWORD, next: 'another one' },
  });
  t.equal(changed.status, 204);
  await flood();
  t.equal((await guess('another one', '10.0.0.2')).status, 429, 'who had the old password is a stranger');
});

test('other sites get nothing', async (t) => {
  const { app, call, setUp, home } = await start(t);
  const owner = await setUp();
  const now = { ...owner, payload: { kind: 'off' } };
  const send = (headers: object) => call('POST', '/devices/boiler/override', { ...now, headers });
  t.match(await send({ origin: 'http://evil.example' }), { status: 403, body: { code: 'NOT_ALLOWED' } });
  t.equal((await send({ origin: 'null' })).status, 403);
  t.equal((await send({ 'sec-fetch-site': 'cross-site' })).status, 403);
  t.equal((await send({ 'content-type': 'text/plain' })).status, 400, 'only JSON is read');
  t.equal(home.overrides.size, 0);
  t.equal((await send({ host: 'hearth.local:8080', origin: 'http://hearth.local:8080' })).status, 204);
  const rebound = await app.inject({ url: '/setup', headers: { host: 'rebind.evil.example' } });
  t.match(rebound.json(), { code: 'NOT_ALLOWED' });

  t.ok(
    ['192.168.1.5', '[fe80::1]:80', 'hearth', 'hearth.local:80', 'HEARTH.LAN.', 'localhost'].every((h) =>
      isOwnHost(h, []),
    ),
  );
  t.notOk(
    ['evil.example', 'a.local.evil.example', '', undefined, 'x'.repeat(300)].some((h) => isOwnHost(h, [])),
  );
  t.ok(isOwnHost('home.example.org:443', ['home.example.org']));
  t.ok(isOwnOrigin(undefined, undefined, 'hearth'));
  t.notOk(isOwnOrigin('http://hearth:81', 'same-site', 'hearth'), 'another port is another origin');
  const headers = (await app.inject({ url: '/sign-in' })).headers;
  t.match(headers['content-security-policy'], /default-src 'none';script-src 'self';style-src 'self'/);
  t.notMatch(headers['content-security-policy'], /unsafe|upgrade-insecure/);
  t.match(headers, {
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
});

test('metrics are for the owner and for who has the token', async (t) => {
  const home = new Home(new HandClock());
  const metrics = { metrics: () => 'hearth_up 1\n', metricsToken: 'scrape-me' };
  const { app } = await buildWeb({ ...depsOf(home), ...metrics }, PAGE);
  t.teardown(() => app.close());
  const scrape = (authorization?: string) =>
    app.inject({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } });
  t.equal((await scrape('Bearer scrape-me')).headers.location, '/setup', 'not before the password is set');
  await app.inject({ method: 'POST', url: `${API}/setup`, payload: { password: PASSWORD } });
  t.equal((await scrape()).statusCode, 401);
  t.equal((await scrape('Bearer scrape-mE')).statusCode, 401);
  const given = await scrape('Bearer scrape-me');
  t.strictSame(
    [given.body, given.headers['content-type']],
    ['hearth_up 1\n', 'text/plain; version=0.0.4; charset=utf-8'],
  );
});
