/** The page in a real browser, against a real listening server: what the owner sees and does. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Test, test } from 'tap';
import type { Snapshot } from '../../firmware/domain/image.ts';
import { openWeb, type Web } from '../../firmware/web/server.ts';
import { NOON, realClock } from './clock.ts';
import { depsOf, Home } from './home.ts';
import { type Washing, withProgram } from './programs.ts';
import { withStores } from './stores.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PASSWORD = 'correct horse battery';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT = { timeout: 15_000 };

interface Visit {
  readonly home: Home;
  readonly web: Web;
  readonly page: Page;
  readonly url: string;
  /** What the browser complained about: errors of the page, refused by its policy, or asked of another host. */
  readonly complaints: string[];
}

async function visit(
  t: Test,
  browser: Browser,
  port = 0,
  home = new Home(realClock(NOON - Date.now())),
): Promise<Visit> {
  const web = await openWeb({ host: '127.0.0.1', port }, depsOf(home));
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  t.teardown(() => web.close());
  t.teardown(() => context.close());
  const url = `http://127.0.0.1:${web.port}`;
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load'))
      complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asked ${request.url()}`);
  });
  return { home, web, page, url, complaints };
}

/** Drawings are as wide as their place, two frames after it has changed. */
const SETTLED =
  'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))';
const fits = (page: Page): Promise<unknown> =>
  page.evaluate(
    `${SETTLED}.then(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)`,
  );

async function setUp({ page, url }: Visit): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByLabel('The same again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.waitForURL(`${url}/`, WAIT);
  await page.locator('[data-power]').waitFor(WAIT);
}

async function firstStart(t: Test, browser: Browser): Promise<void> {
  const v = await visit(t, browser);
  const { page, url } = v;
  await page.goto(url);
  t.equal(page.url(), `${url}/setup`, 'the first start leads to the password');
  t.ok(await fits(page), 'set-up fits a phone');
  await page.getByLabel('Password').fill('short');
  await page.getByLabel('The same again').fill('short');
  await page.getByRole('button', { name: 'Set password' }).click();
  t.match(await page.getByRole('alert').textContent(), /at least 8 characters/);
  t.equal(v.home.kept.size, 0);
  await setUp(v);
  await page.getByText('Change the password').click();
  await page.getByLabel('Present password').fill(PASSWORD);
  await page.getByLabel('New password').fill('another battery');
  await page.getByLabel('The new one again').fill('another battery');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'Changed.' }).waitFor(WAIT);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${url}/sign-in`, WAIT);
  await page.getByLabel('Password').fill('something else');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'This is not the password' }).waitFor(WAIT);
  await page.getByLabel('Password').fill('another battery');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${url}/`, WAIT);
  await page.locator('[data-power]').waitFor(WAIT);
  t.strictSame(v.complaints, []);
}

async function theHome(t: Test, browser: Browser): Promise<void> {
  const v = await visit(t, browser);
  const { page, home, web } = v;
  await setUp(v);
  t.equal((await page.locator('[data-power]').textContent())?.replace(/\s+/g, ' '), '3.84 kW');
  t.equal(await page.locator('.way').textContent(), 'from the grid');
  t.equal(
    await page.locator('.banner.limit').textContent(),
    'Grid operator limits the house to 4.2 kW until 18:30.',
  );
  const water = page.locator('[data-device=boiler]');
  t.match(await water.locator('.reason').textContent(), /^Waits until tomorrow 11:00 for cheaper power/);
  t.match(
    await page.locator('.flow').getAttribute('aria-label'),
    /Solar 2\.1 kW, Grid 3\.8 kW.*The home draws 6\.0 kW/,
  );
  await page.locator('.slot').first().waitFor(WAIT);
  t.equal(await page.locator('.slot').count(), 48, 'today and tomorrow by the hour');
  t.match(
    await page.locator('.money .facts').textContent(),
    /cost€1\.41.*from the grid6\.9 kWh.*to the grid3\.0 kWh/,
  );
  t.match(
    await page.locator('.journal').textContent(),
    /Car charger set to 1\.4 kW: Grid operator limits the house/,
  );
  t.match(
    await page.locator('[aria-labelledby=meters]').textContent(),
    /Heat meter.*61 × no answer within the time/,
  );
  const meters = page.locator('[aria-labelledby=meters]');
  t.match(await meters.textContent(), /Water meter.*reports that its battery is low.*Volume412\.506 m³/);
  t.match(await meters.textContent(), /Energy from the grid · tariff 14,312\.1 kWh/);
  await page.getByText('How good is the plan?').click();
  t.match(await page.locator('.money .words').textContent(), /no other plan could save more than €0\.12/);
  await page.getByText('heard and not read (1)').click();
  const air = page.locator('.radio');
  t.match(await air.textContent(), /76543210.*Kamstrup · cold water · encrypted/);
  await air.getByLabel('Key of 76543210').fill('1'.repeat(32));
  await air.getByRole('button', { name: 'Try' }).click();
  await air.locator('.said', { hasText: 'The key does not open' }).waitFor(WAIT);
  await air.getByLabel('Key of 76543210').fill('0'.repeat(32));
  await air.getByRole('button', { name: 'Try' }).click();
  await air.locator('.said', { hasText: 'The key opens all 2 telegrams: total 88.100 m³.' }).waitFor(WAIT);
  await air.getByText('Row for the configuration').click();
  t.match(await air.locator('pre').textContent(), /"address": "KAM 76543210"/);
  await pastDays(t, page);
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    t.ok(await fits(page), `no sideways scrolling at ${width} px`);
  }
  const small = await page.evaluate(
    '[...document.querySelectorAll("button")].filter((b) => b.getBoundingClientRect().height < 40).length',
  );
  t.equal(small, 0, 'every button is large enough for a thumb');

  await water.getByRole('button', { name: 'Off' }).click();
  await water.locator('.said').filter({ hasText: 'Switched off.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('boiler'), { kind: 'off' }, 'the wish has arrived');
  web.notify();
  await water.locator('.reason').filter({ hasText: 'You switched it off.' }).waitFor(WAIT);
  t.equal(await water.getByRole('button', { name: 'Off' }).getAttribute('aria-pressed'), 'true');
  await water.getByRole('button', { name: 'Back to automatic' }).click();
  await water.locator('.said').filter({ hasText: 'Back to automatic.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('boiler'), { kind: 'automatic' });

  const car = page.locator('[data-device=wallbox]');
  await car.getByRole('button', { name: 'Not before' }).click();
  await car.getByLabel('Not before', { exact: true }).fill('18:00');
  await car.getByRole('button', { name: 'Wait' }).click();
  await car.locator('.said').filter({ hasText: 'Waits until 18:00.' }).waitFor(WAIT);
  t.strictSame(
    home.overrides.get('wallbox'),
    { kind: 'notBefore', atMs: Date.UTC(2026, 5, 17, 16) },
    "18:00 of the site's zone",
  );
  await car.getByRole('button', { name: 'Now' }).click();
  await car.locator('.said').filter({ hasText: 'Runs now.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('wallbox'), { kind: 'now', untilMs: null });
  t.equal(
    await page.locator('[data-device=dishwasher] button').count(),
    0,
    'what cannot be controlled has no buttons',
  );
  t.strictSame(v.complaints, []);
}

const EXTREMES: Readonly<Record<string, (snapshot: Snapshot) => Snapshot>> = {
  'nothing at all': (s) => {
    const image = { ...s.image, devices: [], signals: [] };
    return { ...s, image, decision: null, devices: [], meters: [], plan: null };
  },
  'no clock, no price, a silent meter': (s) => {
    const image = { ...s.image, wallTrusted: false, signals: [], grid_W: { value: null, ageMs: Infinity } };
    return withStores({ ...s, image, plan: null }, null, null);
  },
  'thirty devices with long names and large numbers': (s) => {
    const [given, ...others] = s.image.devices;
    if (!given) return s;
    const many = Array.from({ length: 26 }, (_, i) => ({
      ...given,
      id: `many-${i}`,
      flexibility: { ...given.flexibility, name: `Donaudampfschifffahrtskapitänskajütenheizung ${i}` },
      power_W: { value: 12_345.6 * i, ageMs: 1 },
    }));
    const planned = s.decision?.devices[0]?.planned ?? [];
    const decided = many.map(({ id }) => ({ resource: id, setPoint_W: 1, reasons: [], planned }));
    const image = { ...s.image, grid_W: { value: 123_456, ageMs: 1 }, devices: [given, ...others, ...many] };
    const decision = s.decision && { ...s.decision, devices: [...s.decision.devices, ...decided] };
    return withStores({ ...s, image, decision });
  },
};

/** A battery and a heat pump: what is drawn, what is said to who does not see it, and what the owner may ask. */
async function stores(t: Test, browser: Browser): Promise<void> {
  const v = await visit(t, browser);
  const { page, home, web } = v;
  home.dress = (snapshot) => withStores(snapshot, -1500);
  await setUp(v);
  const flow = page.locator('.flow');
  t.match(await flow.getAttribute('aria-label'), /Sun, battery and grid.*Battery giving, 68 % full, 1\.5 kW/);
  t.match(await flow.locator('.line.tone-leaf .current').getAttribute('class'), /inward/);
  home.dress = (snapshot) => withStores(snapshot, 1200);
  web.notify();
  await flow.locator('.line.tone-leaf .current.outward').waitFor(WAIT);
  t.match(await flow.textContent(), /Charging 68 %/);
  const battery = page.locator('[data-device=battery]');
  t.match(await battery.locator('.reason').textContent(), /Charging later would cost 0\.84 EUR more\.$/);
  t.match(
    await battery.locator('.store').textContent(),
    /^68 % full, 6\.8 of 10 kWh, 20 % are kept in reserve\.$/,
  );
  const held = await battery.locator('.held').getAttribute('width');
  t.equal(Number(held) / 240, 0.68, 'the bar is as full as the battery');
  await battery.getByRole('button', { name: 'Charge' }).click();
  await battery.locator('.said', { hasText: 'Charges now.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('battery'), { kind: 'now', untilMs: null });
  const lane = page.getByRole('img', {
    name: /^Home battery: gives 19:15–22:15, charges tomorrow 02:15–05:15\. Least/,
  });
  await lane.waitFor(WAIT);
  t.equal(await lane.locator('.plan').count(), 2);
  t.match(await lane.textContent(), /reserve 20 %/);
  await page
    .getByRole('img', { name: /^Underfloor heating: heats tomorrow 02:15–05:15\. Least 20\.1 °C/ })
    .waitFor(WAIT);
  const saved = page.locator('.savings');
  t.match(await saved.textContent(), /What control saved is not known yet.*Not in it \(3\)/);
  await saved.getByText('Not in it').click();
  t.match(await saved.textContent(), /Underfloor heating: Not compared/);
  t.strictSame(v.complaints, []);

  for (const [name, dress] of Object.entries(EXTREMES)) {
    home.dress = dress;
    home.cycle += 1;
    web.notify();
    await page.locator(`.home[data-cycle="${home.cycle}"]`).waitFor(WAIT);
    await page.evaluate('document.querySelectorAll("details").forEach((d) => { d.open = true })');
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      t.ok(await fits(page), `${name}: no sideways scrolling at ${width} px`);
    }
    t.notMatch(await page.locator('#page').innerText(), /NaN|undefined|null|Infinity|\[object/, name);
  }
  t.strictSame(v.complaints, []);
}

/** A washing machine: asked for by a time, waiting, running, stopped; the same in the API. */
async function programs(t: Test, browser: Browser): Promise<void> {
  const v = await visit(t, browser);
  const { page, home, web } = v;
  let washing: Washing = {};
  home.dress = (snapshot) => {
    const override = home.overrides.get('washer') ?? { kind: 'automatic' };
    return withProgram(snapshot, { override, ...washing });
  };
  const told = async (next: Washing): Promise<void> => {
    washing = next;
    home.cycle += 1;
    web.notify();
    await page.locator(`.home[data-cycle="${home.cycle}"]`).waitFor(WAIT);
  };
  const inTheApi = (): Promise<unknown> =>
    page.evaluate("fetch('/api/v1/state').then((r) => r.json()).then((v) => v.devices[0])");
  await setUp(v);
  const card = page.locator('[data-device=washer]');
  const words = () => card.locator('.program').textContent();
  const button = (name: string) => card.getByRole('button', { name });
  t.equal(await words(), 'A run takes 1 h 50 min and 0.8 kWh.');
  const idle = ['Ready by …', 'Start now', 'Power for setting it'];
  t.same(await card.getByRole('button').allTextContents(), idle);
  await button('Power for setting it').click();
  await card.locator('.said', { hasText: 'Has power for 15 minutes.' }).waitFor(WAIT);
  const set = home.overrides.get('washer');
  const untilMs = set?.kind === 'now' ? (set.untilMs ?? 0) : 0;
  t.ok(Math.abs(untilMs - NOON - 15 * 60_000) < 60_000, 'of the time at home');
  const reasons = [{ code: 'OWNER_NOW', values: { untilMs } }] as const;
  await told({ reasons, setPoint_W: 2000, power_W: 4, more: { setPoint_W: 2000 } });
  t.match(await card.locator('.reason').textContent(), /^You asked for power to set it until 17:3\d\.$/);
  t.match(
    await card.textContent(),
    /Has power until 17:3\d\. Choose its program, press start, then ask here/,
  );
  t.match(await card.locator('.state').textContent(), /^Has power/);
  t.equal(await button('Power for setting it').getAttribute('aria-pressed'), 'true');
  t.equal(await button('Start now').getAttribute('aria-pressed'), 'false');
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 844 });
    t.ok(await fits(page), `no sideways scrolling at ${width} px`);
  }
  await button('Cancel').click();
  await card.locator('.said', { hasText: 'Its power is off.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('washer'), { kind: 'automatic' });
  await told({});
  t.same(await card.getByRole('button').allTextContents(), idle);

  await button('Ready by').focus();
  await page.keyboard.press('Enter');
  const time = card.getByLabel('Ready by', { exact: true });
  t.equal(await time.inputValue(), '07:00', 'at 17:20 it cannot be ready by 18:00');
  t.match(await card.textContent(), /At the earliest it is done by 19:1\d/);
  await time.fill('18:30');
  await button('Ask for a run').click();
  await card
    .locator('.said', { hasText: 'It cannot be done by 18:30; it runs as soon as it may.' })
    .waitFor(WAIT);
  t.match(await inTheApi(), { id: 'washer', override: { kind: 'runBy', byMs: NOON + 70 * 60_000 } });
  const byMs = NOON + 280 * 60_000;
  await button('Ready by').click();
  await time.fill('22:00');
  await page.keyboard.press('Enter');
  await card.locator('.said', { hasText: 'To be ready by 22:00.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('washer'), { kind: 'runBy', byMs }, "22:00 of the site's zone");

  const atMs = NOON + 100 * 60_000;
  const reason = { code: 'PRICE_WAIT', values: { fromMs: atMs, price: 0.000266 } } as const;
  await told({
    run: { byMs, doneMs: null },
    reasons: [reason],
    planned: [{ fromMs: atMs, untilMs: atMs + 300_000, power_W: 2000 }],
  });
  t.equal(await words(), 'Starts 19:00, done by 20:50.');
  t.match(await card.locator('.reason').textContent(), /^Waits until 19:00 for cheaper power/);
  t.same(await card.getByRole('button').allTextContents(), ['Ready by 22:00', 'Start now', 'Cancel']);
  t.equal(await button('Ready by').getAttribute('aria-pressed'), 'true');
  await page.getByRole('img', { name: 'Washing machine: 19:00–20:50.' }).waitFor(WAIT);
  await button('Cancel').click();
  await card.locator('.said', { hasText: 'It is not asked to run any more.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('washer'), { kind: 'automatic' });
  await button('Start now').click();
  await card.locator('.said', { hasText: 'Starts as soon as it may.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('washer'), { kind: 'now', untilMs: null });

  const run = { byMs: null, doneMs: 62 * 60_000 };
  await told({ run, power_W: 80, reasons: [{ code: 'PROGRAM_RUNS', values: { leftMs: 48 * 60_000 } }] });
  t.match(await words(), /^Runs, 48 min left: done by 18:0\d\.$/);
  t.match(await card.locator('.state').textContent(), /Running/);
  const done = await card.locator('.step.done').last().getAttribute('width');
  t.ok(Math.abs(Number(done) / 240 - 42 / 110) < 1e-9, `as far as it is: ${done}`);
  t.same(await card.getByRole('button').allTextContents(), ['Stop …'], 'what runs is not asked for');
  await button('Stop').click();
  await card.getByRole('alert').filter({ hasText: 'may have to be begun anew' }).waitFor(WAIT);
  await button('Let it run').click();
  t.equal(await card.getByRole('alert').count(), 0);
  t.match(home.overrides.get('washer'), { kind: 'now' }, 'nothing was stopped');
  await button('Stop').click();
  await button('Stop it').click();
  await card.locator('.said', { hasText: 'Stopped.' }).waitFor(WAIT);
  t.strictSame(home.overrides.get('washer'), { kind: 'off' });
  await told({ reasons: [{ code: 'OWNER_OFF', values: {} }] });
  t.same(await card.getByRole('button').allTextContents(), [...idle, 'Back to automatic']);
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    t.ok(await fits(page), `no sideways scrolling at ${width} px`);
  }
  t.strictSame(v.complaints, []);
}

/** Chart, table, keyboard, another day, and a copy that is kept. */
async function pastDays(t: Test, page: Page): Promise<void> {
  const past = page.locator('.history');
  await past.locator('.bar').first().waitFor(WAIT);
  t.equal(await past.locator('.when').textContent(), 'Today');
  t.match(await past.locator('.facts').textContent(), /from the grid6\.9 kWh/);
  await past.locator('svg').focus();
  await page.keyboard.press('Home');
  t.match(await past.locator('.reading').textContent(), /^00:00–00:15 0\.10 kWh from the grid/);
  await page.keyboard.press('ArrowRight');
  t.match(await past.locator('.reading').textContent(), /^00:15–00:30/);
  await past.getByRole('button', { name: 'The day before' }).click();
  await past.locator('.facts', { hasText: '9.6' }).waitFor(WAIT);
  t.equal(await past.locator('.when').textContent(), 'Tue 16 Jun');
  t.equal(await past.getByRole('button', { name: 'The day after' }).isEnabled(), true);
  const [file] = await Promise.all([
    page.waitForEvent('download', WAIT),
    past.getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  t.equal(file.suggestedFilename(), 'energy-2026-06-16.csv');
  const lines = readFileSync(await file.path(), 'utf8').split('\r\n');
  t.equal(lines.length, 98, 'a head, 96 quarter hours, the end');
  t.match(lines[1], /^2026-06-15T22:00:00\.000Z,2026-06-16 00:00,0\.1000,0\.0000,0\.02570,0$/);
  await past.getByRole('button', { name: 'Week' }).click();
  await past.locator('.when', { hasText: 'Thu 11 Jun to today' }).waitFor(WAIT);
  await past.getByText('As a table').click();
  t.equal(await past.locator('tbody tr').count(), 7);
  await past.getByText('have paid last month').click();
  await past.locator('.words', { hasText: 'No fixed price is configured' }).waitFor(WAIT);
}

async function live(t: Test, browser: Browser): Promise<void> {
  const v = await visit(t, browser);
  const { page, home, web } = v;
  await setUp(v);
  home.grid_W = -750;
  home.limit_W = null;
  web.notify();
  await page.locator('[data-power]', { hasText: '750' }).waitFor(WAIT);
  t.equal(await page.locator('.way').textContent(), 'to the grid');
  t.equal(await page.locator('.banner.limit').count(), 0, 'the limit is over');
  home.limit_W = 0;
  home.grid_W = null;
  web.notify();
  await page.locator('.banner.limit', { hasText: 'limits the house to 0 W' }).waitFor(WAIT);
  t.match(await page.locator('[data-power]').textContent(), /^–/, 'unknown is not 0');
  t.match(await page.locator('.banner.notice').textContent(), /The meter is silent/);

  home.storage = { ...home.storage, mode: 'memory', code: 'STORE_FULL' };
  web.notify();
  await page.locator('.banner.notice', { hasText: 'Nothing can be kept on the disk' }).waitFor(WAIT);

  const { port } = web;
  await web.close();
  await page.locator('.link.gone', { hasText: 'Connection lost' }).waitFor(WAIT);
  home.grid_W = 1234;
  const again = await openWeb({ host: '127.0.0.1', port }, depsOf(home));
  t.teardown(() => again.close());
  await page.locator('[data-power]', { hasText: '1.23' }).waitFor(WAIT);
  await page.locator('.link.live').waitFor(WAIT);
  t.pass('it comes back by itself, without signing in again');

  const motion = "getComputedStyle(document.querySelector('.flow .current')).animationName";
  t.equal(await page.evaluate(motion), 'run', 'the flow moves');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  t.equal(await page.evaluate(motion), 'none', 'but not for who asked for that');
}

if (existsSync(CHROMIUM)) {
  execFileSync(
    process.execPath,
    [path.resolve(import.meta.dirname, '../../scripts/build-page.ts'), '--if-stale'],
    {
      stdio: 'ignore',
    },
  );
  test('the page in a browser', async (t) => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
    t.teardown(() => browser.close());
    await t.test('first start, set a password, sign out and in', (s) => firstStart(s, browser));
    await t.test('the home on a phone and on a desk, and the wishes', (s) => theHome(s, browser));
    await t.test('batteries, heat, and the extremes', (s) => stores(s, browser));
    await t.test('an appliance with a program', (s) => programs(s, browser));
    await t.test('live: pushed, lost, back again', (s) => live(s, browser));
  });
} else {
  test('the page in a browser', async (t) => {
    if (process.env.CI) t.fail(`CI must have a browser at ${CHROMIUM}`);
    else t.comment(`no browser at ${CHROMIUM}: the page is not tried here`);
    t.equal(existsSync(CHROMIUM), false);
  });
}
