/** Energy and its cost: today, past days, and at another tariff. */
import { test } from 'tap';
import { PriceRecord } from '../../firmware/compose/price-record.ts';
import { type Measurement, pointKey } from '../../firmware/domain/measurement.ts';
import { fixedTariff } from '../../firmware/domain/tariff.ts';
import { energyDays } from '../../firmware/web/energy.ts';
import { meanPrice } from '../../firmware/web/prices.ts';
import { energyDaysSchema, tariffSchema, todaySchema } from '../../firmware/web/schema.ts';
import { tariffCheck } from '../../firmware/web/tariff.ts';
import { flowOf, todayOf } from '../../firmware/web/today.ts';
import { HandClock, MIDNIGHT, NOON } from './clock.ts';
import { Home } from './home.ts';
import { HOURLY } from './house.ts';

import { start } from './server.ts';

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
