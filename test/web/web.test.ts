/** The server: who may reach what, what it refuses, what it answers, and that the description is complete. */

import { request } from 'node:http';
import { type Test, test } from 'tap';
import { PriceRecord } from '../../firmware/compose/price-record.ts';
import { ERRORS, fault, ok, refuse } from '../../firmware/domain/errors.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { type Measurement, pointKey } from '../../firmware/domain/measurement.ts';
import type { RadioEar } from '../../firmware/domain/radio.ts';
import { fixedTariff } from '../../firmware/domain/tariff.ts';
import { energyDays } from '../../firmware/web/energy.ts';
import { journalSentence } from '../../firmware/web/journal-words.ts';
import { isOwnHost, isOwnOrigin } from '../../firmware/web/origin.ts';
import { stretchesOf } from '../../firmware/web/planned.ts';
import { meanPrice } from '../../firmware/web/prices.ts';
import {
  energyDaysSchema,
  heardSchema,
  journalSchema,
  pricesSchema,
  seriesSchema,
  tariffSchema,
  todaySchema,
  trialSchema,
  viewSchema,
} from '../../firmware/web/schema.ts';
import { REASON_CODES, reasonSentence } from '../../firmware/web/sentences.ts';
import { buildWeb, openWeb } from '../../firmware/web/server.ts';
import { tariffCheck } from '../../firmware/web/tariff.ts';
import { flowOf, todayOf } from '../../firmware/web/today.ts';
import { viewOf } from '../../firmware/web/view.ts';
import { dayStart, timeWords } from '../../firmware/web/zone.ts';
import { depsOf, HandClock, HOURLY, Home, MIDNIGHT, NOON, realClock } from './home.ts';

const API = '/api/v1';
const PASSWORD = 'correct horse';
const PAGE = new Map(
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

async function start(t: Test) {
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

const tokenOf = (header: unknown): string => /hearth=([^;]*)/.exec(String(header))?.[1] ?? '';

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

test('the house is answered as described', async (t) => {
  const { call, setUp, home } = await start(t);
  const owner = await setUp();
  const state = viewSchema.parse((await call('GET', '/state', owner)).body);
  t.match(state, {
    home: 'Maple Street 12',
    headline: 'Sun and grid power your home together.',
    grid: { power_W: 3840, stale: false },
    flow: { grid_W: 3840, solar_W: 2140, house_W: 5980, other_W: 3960 },
    limits: [{ limit_W: 4200, sentence: 'Grid operator limits the house to 4.2 kW until 18:30.' }],
  });
  t.equal(Math.round((state.price.import ?? 0) * 1e4), 2660, 'per kWh');
  const [car, water, pump, solar] = state.devices;
  t.match(car, {
    state: 'on',
    stateWords: 'Charging',
    reason: 'Grid operator limits the house to 4.2 kW until 18:30.',
  });
  t.equal(water?.reason, 'Waits until tomorrow 11:00 for cheaper power (now 26.6 ct/kWh).');
  t.match(pump, { power_W: null, state: 'unknown', statusSentence: /could not carry out.*no answer within/ });
  t.match(solar, { producer: true, state: 'producing' });
  t.match(state.meters[1], {
    health: 'silent',
    faults: [{ code: 'TIMEOUT', count: 61, sentence: ERRORS.TIMEOUT }],
  });

  home.grid_W = null;
  const blind = viewSchema.parse((await call('GET', '/state', owner)).body);
  t.match(blind, {
    grid: { power_W: null, stale: true, ageMs: null },
    flow: { house_W: null, other_W: null },
  });
  t.ok(blind.notices.some((n) => n.includes('meter is silent')));

  const prices = pricesSchema.parse((await call('GET', '/prices', owner)).body);
  t.equal(prices.slots.length, 48);
  t.strictSame(
    prices.planned.map((p) => [p.name, p.slots.length]),
    [
      ['Car charger', 2],
      ['Hot water', 2],
    ],
  );
  const page = journalSchema.parse((await call('GET', '/journal?limit=3', owner)).body);
  t.equal(page.entries.length, 3);
  const older = journalSchema.parse(
    (await call('GET', `/journal?limit=100&beforeId=${page.nextBeforeId}`, owner)).body,
  );
  t.equal(older.entries[0]?.id, (page.entries[2]?.id ?? 0) - 1);
  t.equal(older.nextBeforeId, null);
  t.ok(
    (await call('GET', '/journal?kind=rejected', owner)).body.entries[0].sentence.startsWith(
      'A message was refused',
    ),
  );
  const series = await call(
    'GET',
    `/series?point=grid/activeEnergyExport&from=${MIDNIGHT}&until=${NOON}`,
    owner,
  );
  t.equal(seriesSchema.parse(series.body).rows.length, 69);
});

test('bad requests are refused with a code, and change nothing', async (t) => {
  const { app, call, setUp, home } = await start(t);
  const owner = await setUp();
  const post = (payload: unknown, id = 'wallbox') =>
    call('POST', `/devices/${id}/override`, { ...owner, payload });
  for (const bad of [
    {},
    { kind: 'sometimes' },
    { kind: 'now' },
    { kind: 'notBefore', atMs: '18:00' },
    { kind: 'notBefore', atMs: NOON - 1 },
    { kind: 'notBefore', atMs: NOON + LIMITS.overrideAheadMs + 1 },
    { kind: 'off', extra: true },
    [],
    null,
  ]) {
    t.match(await post(bad ?? 'null'), { status: 400, body: { code: 'FORM_INVALID' } }, JSON.stringify(bad));
  }
  t.match(await post({ kind: 'off' }, 'toaster'), { status: 404, body: { code: 'NOT_FOUND' } });
  t.match(await post({ kind: 'off' }, 'UPPER%2Fcase'), { status: 400, body: { code: 'FORM_INVALID' } });
  const cut = { ...owner, headers: { 'content-type': 'application/json' } };
  t.match(await call('POST', '/devices/wallbox/override', { ...cut, payload: '{"kind"' }), {
    status: 400,
    body: { code: 'FORM_INVALID' },
  });
  t.match(
    await call('POST', '/devices/wallbox/override', {
      ...cut,
      payload: `"${'x'.repeat(LIMITS.requestBody_bytes)}"`,
    }),
    { status: 413, body: { code: 'OVERSIZED' } },
  );
  for (const query of [
    '',
    '?point=grid/x&from=0&until=1',
    `?point=grid/activeEnergyExport&from=${NOON}&until=0`,
  ]) {
    t.ok([400, 404].includes((await call('GET', `/series${query}`, owner)).status), query);
  }
  const year = `?point=grid/activeEnergyExport&resolution=raw&from=0&until=${NOON}`;
  t.equal((await call('GET', `/series${year}`, owner)).body.code, 'FORM_INVALID');
  t.equal((await call('GET', '/journal?limit=100000', owner)).body.code, 'FORM_INVALID');
  t.match(await call('PUT', '/state', owner), { status: 404, body: { code: 'NOT_FOUND' } });
  t.equal((await call('GET', '/nothing', owner)).body.code, 'NOT_FOUND');
  t.equal((await app.inject({ url: '/../../etc/passwd', ...owner })).statusCode, 404);
  t.equal(home.overrides.size, 0);

  t.equal((await post({ kind: 'notBefore', atMs: NOON + 3_600_000 })).status, 204);
  t.strictSame(home.overrides.get('wallbox'), { kind: 'notBefore', atMs: NOON + 3_600_000 });
  t.equal((await post({ kind: 'now', untilMs: null })).status, 204);
  t.strictSame(home.overrides.get('wallbox'), { kind: 'now', untilMs: null });

  home.journal.read = () => {
    throw new Error('secret inside /data/hearth.db');
  };
  const broken = await call('GET', '/journal', owner);
  t.strictSame(
    [broken.status, broken.body],
    [500, { code: 'INTERNAL', message: ERRORS.INTERNAL }],
    'nothing leaks',
  );
  t.equal(home.entries.at(-1)?.code, 'INTERNAL', 'but it is journalled');
});

test("today's energy and cost", async (t) => {
  const home = new Home(new HandClock());
  const today = todaySchema.parse(todayOf(home.snapshot(), home.series, 'grid'));
  const import_Wh = 69 * 100 + 0; // 69 quarters of 100 Wh; the second tariff stands still
  const cost = HOURLY.slice(0, 17).reduce((sum, price) => sum + 400 * price, 0) + 100 * (HOURLY[17] ?? 0);
  t.equal(Math.round(today.import_Wh ?? 0), import_Wh);
  t.equal(today.export_Wh, 3000);
  t.equal(today.importCost?.toFixed(6), cost.toFixed(6), 'each quarter at its own price');
  t.equal(
    today.exportIncome?.toFixed(6),
    (3000 * 0.00006).toFixed(6),
    'the fixed price where no signal says',
  );
  t.equal(today.cost?.toFixed(6), (cost - 0.18).toFixed(6));
  t.equal(today.complete, true);
  t.match(todayOf(home.snapshot(), home.series, null), { import_Wh: null, export_Wh: null, cost: null });

  const given = home.snapshot();
  const unpriced = { ...given, image: { ...given.image, signals: [] } };
  t.match(
    todayOf(unpriced, home.series, 'grid'),
    { importCost: null, cost: null, unpriced_Wh: 6900 },
    'what has no price is not earned, though another register stands still at no cost',
  );

  const half = (from: number): number | null => (from < 500 ? null : 2);
  const flow = flowOf(
    [
      { atMs: -100, value: 10 },
      { atMs: 100, value: 14 },
      { atMs: 200, value: 1 },
      { atMs: 600, value: 3 },
      { atMs: 700, value: 4 },
    ],
    0,
    half,
  );
  t.match(
    flow,
    { energy_Wh: 5, unpriced_Wh: 4, money: 2 },
    'half of the rise over midnight; a new meter starts again',
  );
  t.match(flowOf([], 0, half), { energy_Wh: null, money: null });
  const { image } = home.snapshot();
  const mean = meanPrice(image.signals, 'importPrice', image.site, MIDNIGHT, MIDNIGHT + 7_200_000);
  t.equal(mean?.toFixed(9), (((HOURLY[0] ?? 0) + (HOURLY[1] ?? 0)) / 2).toFixed(9));
  t.equal(
    meanPrice(image.signals, 'importPrice', image.site, MIDNIGHT - 3_600_000, MIDNIGHT + 1),
    null,
    'a gap is unknown',
  );
});

test('energy of past days, per quarter hour and per day', async (t) => {
  const { call, setUp } = await start(t);
  const owner = await setUp();
  t.equal((await call('GET', '/energy')).status, 401);
  const day = energyDaysSchema.parse((await call('GET', '/energy?day=2026-06-16', owner)).body);
  t.match(day, { fromMs: MIDNIGHT - 86_400_000, untilMs: MIDNIGHT, currency: 'EUR' });
  t.equal(day.slots.length, 96);
  t.match(day.slots[0], { import_Wh: 100, export_Wh: 0, missing: 0, spread: false });
  t.match(day.total, { import_Wh: 9600, export_Wh: 0, unpriced_Wh: 400, missing: 0 });
  const paid = HOURLY.reduce((sum, price, hour) => sum + (hour === 3 ? 0 : 400 * price), 0);
  t.ok(Math.abs((day.total.cost ?? 0) - paid) < 1e-9, 'at the prices that were kept');
  t.equal(day.slots[12]?.cost, null, 'an hour whose price was not kept costs nobody knows what');

  const today = energyDaysSchema.parse((await call('GET', '/energy', owner)).body);
  t.equal(today.slots.length, 69, 'up to the last whole quarter hour');
  t.match(today.total, { import_Wh: 6900, export_Wh: 3000 });
  t.match(today.slots[41], { export_Wh: 150 });

  const week = energyDaysSchema.parse(
    (await call('GET', '/energy?day=2026-06-11&days=7&per=day', owner)).body,
  );
  t.same(
    week.slots.map((slot) => slot.import_Wh),
    [9600, 9600, 9600, 9600, 9600, 9600, 6900],
  );
  t.equal(
    week.total.import_Wh,
    week.slots.reduce((sum, slot) => sum + (slot.import_Wh ?? 0), 0),
  );
  const spring = (await call('GET', '/energy?day=2026-03-29', owner)).body;
  t.equal(spring.slots.length, 92, 'the day of the change to summer time has 23 hours');
  const ahead = energyDaysSchema.parse((await call('GET', '/energy?day=2099-12-31', owner)).body);
  t.same([ahead.slots, ahead.total.import_Wh, ahead.total.cost], [[], null, null], 'nobody knows the future');
  for (const query of [
    ...['day=2026-02-30', 'day=2026-13-01', 'day=today', 'day=1999-01-01', 'days=0', 'days=32', 'days=1.5'],
    ...[
      'per=year',
      'day=2026-06-16%00',
      `day=${'9'.repeat(5000)}`,
      'day=2026-06-16&day=2026-06-15',
      'more=1',
    ],
  ]) {
    const answer = await call('GET', `/energy?${query}`, owner);
    t.match(answer, { status: 400, body: { code: 'FORM_INVALID' } }, query.slice(0, 40));
  }
});

test('without a meter at the grid, or of a year that nobody measured, energy is unknown', async (t) => {
  const home = new Home(new HandClock());
  const range = { dayMs: NOON, days: 2, per: 'day' } as const;
  const none = energyDays(home.snapshot(), home.series, null, range);
  t.same(
    none.slots.map((slot) => [slot.import_Wh, slot.cost]),
    [
      [null, null],
      [null, null],
    ],
  );
  const empty = { ...home.series, read: () => [] };
  const gap = energyDays(home.snapshot(), empty, 'grid', { dayMs: NOON - 86_400_000, days: 1, per: 'day' });
  t.match(gap.total, { import_Wh: null, cost: null, missing: 96 });
});

test('would a price by the hour have paid', async (t) => {
  const { call, setUp, home } = await start(t);
  const owner = await setUp();
  const unfixed = tariffSchema.parse((await call('GET', '/tariff', owner)).body);
  t.same(unfixed.sentences, ['No fixed price is configured to compare with.']);
  t.equal(new Date(unfixed.fromMs).toISOString(), '2026-04-30T22:00:00.000Z', 'last month, of the zone');
  for (const query of ['month=2026-00', 'month=2026-6', 'month=2026-06-01', 'month[]=2026-06', 'x=1'])
    t.equal((await call('GET', `/tariff?${query}`, owner)).status, 400, query);
  t.equal((await call('GET', '/tariff')).status, 401);

  const given = home.snapshot();
  const site = { ...given.image.site, importTariff: fixedTariff(0.0003) };
  const snapshot = { ...given, image: { ...given.image, site } };
  const days = (from: number, until: number) =>
    tariffCheck(snapshot, home.series, 'grid', MIDNIGHT + from * 86_400_000, MIDNIGHT + until * 86_400_000);
  const ten = days(-10, 0);
  t.match(ten, { slots: 960, compared: 920, missing: 0, compared_Wh: 92_000, unpriced_Wh: 4000 });
  t.ok(Math.abs((ten.fixed ?? 0) - 27.6) < 1e-9);
  const hourly = HOURLY.reduce((sum, price, hour) => sum + (hour === 3 ? 0 : 4000 * price), 0);
  t.ok(Math.abs((ten.hourly ?? 0) - hourly) < 1e-9);
  t.match(ten.sentences[0], /^In June your 92 kWh from the grid cost €23\.\d\d .* and €27\.60 at the fixed/);
  t.match(ten.sentences[0], /30\.0 ct\/kWh: by the hour €\d\.\d\d less\.$/);
  t.match(ten.sentences[1], /^Not compared: 4 % of the quarter hours.*\(4 kWh of them were read\)/);
  t.match(
    days(-40, 0).sentences[0],
    /^In the part of May that is known \(24 %\)/,
    'no month is made of ten days',
  );
  t.same(days(-40, -30).sentences, ['No prices by the hour were kept for May.']);
});

test('prices are kept once a quarter hour, and only those that were sent', async (t) => {
  const clock = new HandClock();
  const home = new Home(clock);
  const kept: Measurement[] = [];
  const record = new PriceRecord({ append: (measurements) => kept.push(...measurements) });
  const take = (more: object = {}): void => record.take({ ...home.snapshot().image, ...more });
  take({ wallTrusted: false });
  take({ signals: [] });
  t.equal(kept.length, 0, 'no clock, no price; the fixed one is in the configuration');
  take();
  take();
  clock.move(15 * 60_000);
  take();
  t.same(
    kept.map(({ point, value, receivedMs }) => [pointKey(point), value, receivedMs]),
    [
      ['_prices/importPrice', HOURLY[17], NOON],
      ['_prices/importPrice', HOURLY[17], NOON + 15 * 60_000],
    ],
  );
});

test('quarter hours without a break are one stretch', async (t) => {
  const quarter = (n: number, power_W: number) => ({
    fromMs: n * 900_000,
    untilMs: (n + 1) * 900_000,
    power_W,
  });
  t.same(stretchesOf([quarter(0, 2), quarter(1, 2), quarter(2, 3), quarter(5, 3)]), [
    { fromMs: 0, untilMs: 1_800_000, power_W: 2 },
    quarter(2, 3),
    quarter(5, 3),
  ]);
  t.same(stretchesOf([]), []);
});

test('days and words', async (t) => {
  const spring = Date.UTC(2026, 2, 29, 10);
  t.equal(dayStart('Europe/Brussels', spring), Date.UTC(2026, 2, 28, 23), 'the day of the change');
  t.equal(dayStart('Europe/Brussels', spring, 1) - dayStart('Europe/Brussels', spring), 23 * 3_600_000);
  t.equal(
    dayStart('Europe/Brussels', Date.UTC(2026, 9, 25, 12), 1) -
      dayStart('Europe/Brussels', Date.UTC(2026, 9, 25, 12)),
    25 * 3_600_000,
  );
  t.equal(dayStart('Asia/Kathmandu', NOON), Date.UTC(2026, 5, 16, 18, 15));
  t.equal(timeWords('Europe/Brussels', NOON + 8 * 3_600_000, NOON), 'tomorrow 01:20');
  t.equal(timeWords('Europe/Brussels', NOON - 18 * 3_600_000, NOON), 'yesterday 23:20');
  t.equal(timeWords('Europe/Brussels', NOON + 3 * 86_400_000, NOON), 'Sat 17:20');
  t.equal(timeWords('Europe/Brussels', NOON - 30 * 86_400_000, NOON), '18 May 17:20');

  const place = { nowMs: NOON, timeZone: 'Europe/Brussels', currency: 'EUR' };
  const waits = {
    code: 'PLANNED',
    values: { mode: 'surplus', needs_W: 4140, untilMs: NOON + 3_600_000 },
  } as const;
  t.match(reasonSentence(waits, place), /^Waits for 4\.1 kW of sun to spare, as planned, until /);
  t.ok(REASON_CODES.length >= 26);
  for (const code of REASON_CODES) {
    for (const values of [
      {},
      { untilMs: null, limit_W: null },
      { limit_W: 0, untilMs: NOON, source: 'X', atMs: NOON },
    ]) {
      const sentence = reasonSentence({ code, values }, place);
      t.match(sentence, /^[A-Z].*\.$/, code);
      t.notMatch(sentence, /undefined|null|NaN|\s{2}/, code);
    }
  }
  const zero = reasonSentence({ code: 'GRID_LIMIT', values: { limit_W: 0, source: 'DSO' } }, place);
  t.equal(zero, 'DSO limits the house to 0 W.', '0 W is not "no limit"');
  const say = (kind: string, code: string, detail = {}) =>
    journalSentence({ kind, subject: 'boiler', code, detail }, () => 'Hot water', place);
  t.equal(say('system', 'BATTERY_LOW'), 'Hot water: the meter reports that its battery is low.');
  t.equal(
    say('system', 'STORED_VALUE', { value: 10_000_000, unit: 'Wh', date: '2025-12-31' }),
    'Hot water: the meter kept a value at a due date (10000000 Wh, 2025-12-31).',
  );
  t.equal(say('system', 'STARTED'), 'Hot water: STARTED.', 'only a command has a status');
  t.equal(
    say('command', 'ABORTED', { fault: { code: 'TIMEOUT', message: 'no answer' } }),
    'Hot water could not carry out the instruction (no answer).',
  );
  t.equal(
    say('override', 'OWNER_NOT_BEFORE', { kind: 'notBefore', atMs: NOON + 600_000 }),
    'Hot water: you asked it to wait until 17:30.',
  );
  const limit = (first: object) => say('signal', 'importLimit', { kind: 'importLimit', first });
  t.equal(
    limit({ fromMs: NOON + 600_000, untilMs: NOON + 900_000, value: 0 }),
    'Hot water sent a limit for power from the grid: 0 W from 17:30 until 17:35.',
  );
  t.match(limit({ fromMs: 0, untilMs: NOON + 900_000, value: null }), /: none until 17:35\.$/);
  t.equal(say('signal', 'CANCELLED'), 'A signal was withdrawn.');
  t.equal(say('fault', 'SILENT', { reason: null }), 'Hot water has fallen silent.');
  t.equal(say('fault', 'BAD_CHECKSUM'), 'Hot water: a checksum over the bytes does not match.');
  t.equal(
    say('guard', 'HOUSE_FUSE', { setPoint_W: 0, fuse_A: 25 }),
    'Hot water set to 0 W: Held back so that the main fuse of 25 A is not overloaded.',
  );
});

test('meters on the air, and a key tried on them', async (t) => {
  const heard = {
    ...{ id: '12345678', manufacturer: 'KAM', version: 27, medium: 'water', configured: false, telegrams: 3 },
    ...{ lastMs: NOON, signal_dBm: -60, refused: fault('KEY_MISSING'), kept: 3 },
  } as const;
  const keys: string[] = [];
  const home = new Home(new HandClock());
  const radio: RadioEar = {
    heard: () => [heard],
    tryKey(meter, key) {
      if (meter !== 'KAM 12345678') return refuse('NOT_FOUND');
      keys.push(Buffer.from(key).toString('hex'));
      return ok({ tried: 3, opened: 3, refused: null, readings: [{ name: 'total', value: 1, unit: 'm3' }] });
    },
  };
  const { app } = await buildWeb(
    { ...depsOf(home), radios: [radio], radioRows: [{ receiver: 'cul' }] },
    PAGE,
  );
  t.teardown(() => app.close());
  const set = await app.inject({ method: 'POST', url: `${API}/setup`, payload: { password: PASSWORD } });
  const owner = { cookies: { hearth: tokenOf(set.headers['set-cookie']) } };
  const post = (payload: object, session: object = owner) =>
    app.inject({ method: 'POST', url: `${API}/radio/key`, payload, ...session });
  const key = '00112233445566778899aabbccddeeff';
  t.equal((await app.inject({ method: 'GET', url: `${API}/radio/meters` })).statusCode, 401);
  const list = await app.inject({ method: 'GET', url: `${API}/radio/meters`, ...owner });
  t.match(heardSchema.parse(list.json()), { meters: [{ id: '12345678', kept: 3 }] });
  t.match(list.json().meters[0], {
    maker: 'Kamstrup',
    encrypted: true,
    row: { id: 'water-5678', address: 'KAM 12345678', receiver: 'cul', key: { file: 'water-5678-key' } },
  });
  const trial = await post({ meter: 'KAM 12345678', key });
  t.match(trialSchema.parse(trial.json()), { opened: 3, readings: [{ name: 'total', value: 1 }] });
  t.equal(
    trial.json().sentence,
    "The key opens all 3 telegrams: total 1.000 m³. Compare with the meter's display.",
  );
  t.same(keys, [key]);
  t.equal((await post({ meter: 'KAM 12345678', key }, {})).statusCode, 401, 'not for just anybody');
  t.equal((await post({ meter: 'KAM 00000000', key })).statusCode, 404);
  const bad = await post({ meter: 'KAM 12345678', key: `${key}ff` });
  t.equal(bad.statusCode, 400);
  t.notMatch(bad.body, /0011/, 'a refusal does not repeat the key');
});

test('OpenAPI describes every route', async (t) => {
  const { app, call, setUp } = await start(t);
  const owner = await setUp();
  const doc = (await call('GET', '/openapi.json', owner)).body;
  t.match(doc, { openapi: '3.1.0', info: { title: 'Hearth', version: '0.1.0' } });
  // What fastify really serves, not the rows that the description is made from.
  const served = app.printRoutes({ commonPrefix: false });
  const stack: string[] = [];
  const found = served.split('\n').flatMap((line) => {
    const match = /^([│ ]*)(?:├── |└── )(\S*)(?: \((.*)\))?$/.exec(line);
    if (!match) return [];
    const depth = (match[1] ?? '').length / 4;
    stack.length = depth;
    stack.push(match[2] ?? '');
    return (match[3] ?? '')
      .split(', ')
      .filter((m) => m && m !== 'HEAD')
      .map((method) => `${method} ${stack.join('')}`);
  });
  const api = found.filter((route) => route.includes(API)).map((route) => route.replace(/:(\w+)/g, '{$1}'));
  const described = Object.entries(doc.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.strictSame(described.sort(), api.sort());
  t.equal(api.length >= 12, true);
  const override = doc.paths[`${API}/devices/{id}/override`].post;
  t.equal(override.requestBody.content['application/json'].schema.$ref, '#/components/schemas/Override');
  t.equal(doc.components.schemas.Override.oneOf.length, 4);
  t.match(override.parameters, [{ name: 'id', in: 'path', required: true }]);
  t.match(Object.keys(override.responses), ['204', '400', '401', '403', '404', '422', '500']);
  const series = doc.paths[`${API}/series`].get.parameters;
  t.strictSame(
    series.map((p: { name: string; required: boolean }) => [p.name, p.required]),
    [
      ['point', true],
      ['resolution', false],
      ['from', true],
      ['until', true],
    ],
  );
  t.equal(new Set(described.map((d) => d)).size, described.length);
  const refs = [...JSON.stringify(doc).matchAll(/"\$ref":"([^"]+)"/g)].map((m) => m[1]);
  t.ok(
    refs.length > 20 && refs.every((ref) => (ref ?? '').slice(21) in doc.components.schemas),
    'every reference leads somewhere',
  );
});

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

test('the view of nothing', async (t) => {
  const home = new Home(new HandClock());
  const full = home.snapshot();
  const image = {
    ...full.image,
    devices: [],
    signals: [],
    wallTrusted: false,
    grid_W: { value: null, ageMs: Infinity },
  };
  const empty = {
    ...full,
    image,
    decision: null,
    devices: [],
    meters: [],
    broker: { connected: false, sinceMs: null },
  };
  const view = viewSchema.parse(viewOf(empty, depsOf(home).info));
  t.match(view, {
    devices: [],
    limits: [],
    price: { import: null, export: null },
    flow: { hasSolar: false, house_W: null },
  });
  t.equal(view.notices.length, 2);
  t.match(view.broker.sentence, /Not connected/);
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
