/** What the API answers and refuses, and that its description is complete. */
import { test } from 'tap';
import { ERRORS, fault, ok, refuse } from '../../firmware/domain/errors.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { RadioEar } from '../../firmware/domain/radio.ts';
import {
  heardSchema,
  journalSchema,
  pricesSchema,
  seriesSchema,
  trialSchema,
  viewSchema,
} from '../../firmware/web/schema.ts';
import { buildWeb } from '../../firmware/web/server.ts';
import { viewOf } from '../../firmware/web/view.ts';
import { HandClock, MIDNIGHT, NOON } from './clock.ts';
import { depsOf, Home } from './home.ts';

import { API, PAGE, PASSWORD, start, tokenOf } from './server.ts';

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
  home.dress = (s) => ({ ...s, image: { ...s.image, grid_W: { value: null, ageMs: 800 } } });
  const doubtful = viewSchema.parse((await call('GET', '/state', owner)).body);
  t.match(doubtful, { grid: { power_W: null, ageMs: 800 }, headline: /^The grid meter does not vouch for/ });
  t.ok(doubtful.notices.some((n) => n.startsWith('The meter sends a power that it does not vouch for')));
  t.notMatch(JSON.stringify(doubtful), /is silent/, 'it is heard');
  home.dress = (s) => s;

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
  t.equal(doc.components.schemas.Override.oneOf.length, 5);
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
