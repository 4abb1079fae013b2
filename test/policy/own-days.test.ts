/** `hearth simulate --own`: the last weeks of a house, told apart into what is simulated and what is not. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { test } from 'tap';
import { simulate } from '../../firmware/commands/simulate.ts';
import { offsetMs, startOfDay } from '../../firmware/domain/calendar.ts';
import type { Result } from '../../firmware/domain/errors.ts';
import type { BatteryStore } from '../../firmware/domain/flexibility.ts';
import type { SeriesStore } from '../../firmware/domain/storage.ts';
import { fixedTariff, type Tariff, tariffAt } from '../../firmware/domain/tariff.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { type OwnDays, type OwnHouse, ownDays } from '../../firmware/policy/simulation/own-days.ts';
import { openStore } from '../../firmware/store/index.ts';
import { SITE } from './home.ts';

const QUARTER = 900_000;
const HOUR = 4 * QUARTER;
const DAY = 24 * HOUR;
const ZONE = 'Europe/Berlin';
/** The last four weeks hold the change to summer time. */
const NOW = Date.UTC(2026, 3, 10, 10);

const localHour = (atMs: number): number => new Date(atMs + offsetMs(atMs, ZONE)).getUTCHours();

/** By point, the value of a quarter hour; undefined was not stored. */
type Values = Readonly<Record<string, (atMs: number) => number | undefined>>;

const seriesOf = (values: Values, sinceMs = NOW - 40 * DAY): Pick<SeriesStore, 'read'> => ({
  read: (point, _resolution, fromMs, untilMs) => {
    const rows: { atMs: number; value: number; min: null; max: null; quality: string }[] = [];
    const first = Math.ceil(Math.max(fromMs, sinceMs) / QUARTER) * QUARTER;
    for (let atMs = first; atMs < Math.min(untilMs, NOW); atMs += QUARTER) {
      const value = values[point]?.(atMs);
      if (value !== undefined) rows.push({ atMs, value, min: null, max: null, quality: 'good' });
    }
    return rows;
  },
});

const BATTERY: BatteryStore = {
  ...{ kind: 'battery', capacity_Wh: 10_000, fill: null, leastFill: 0.1, mostFill: 0.9 },
  ...{ charge_W: 2500, discharge_W: 2000, chargeEfficiency: 0.94, dischargeEfficiency: 0.96 },
  ...{ wear_perWh: 0.00002, gridCharge: true, gridDischarge: false },
};
const battery = { id: 'battery', name: 'Cellar battery', deadline: null, battery: BATTERY };
const wallbox = {
  id: 'wallbox',
  name: 'Wallbox',
  deadline: { time: '07:00', energy_Wh: 9000 },
  battery: null,
};
const heating = { id: 'heating', name: 'Heat pump', deadline: null, battery: null };

const battery_W = (atMs: number): number => {
  const hour = localHour(atMs);
  return hour >= 12 && hour < 15 ? 2000 : hour >= 18 && hour < 23 ? -1100 : 0;
};
const car_W = (atMs: number): number => (localHour(atMs) < 2 ? 3700 : 0);
const VALUES: Values = {
  'grid/activePower': (atMs) => 1200 + battery_W(atMs) + car_W(atMs) + 300,
  'battery/activePower': battery_W,
  'wallbox/activePower': car_W,
  'heating/activePower': () => 300,
};
const NIGHT: Tariff = [
  {
    from: null,
    steps: [
      { from: '22:00', days: 'all', price: 0.00019 },
      { from: '06:00', days: 'all', price: 0.00035 },
    ],
  },
];

function must(own: Result<OwnDays>): OwnDays {
  if (!own.ok) throw new Error(own.error.message);
  return own.value;
}

const house = (changes: Partial<OwnHouse> = {}): OwnHouse => ({
  series: seriesOf(VALUES),
  site: { ...SITE, timeZone: ZONE, importTariff: NIGHT, exportTariff: fixedTariff(0.00008) },
  signals: [],
  gridMeter: 'grid',
  devices: [heating, wallbox, battery],
  isPricedElsewhere: false,
  ...changes,
});

test('a battery and a car are simulated, the house is what is left without them', (t) => {
  const own = must(ownDays(house(), NOW));
  const { days, notes } = own;
  t.same([...new Set(days.base_load_kw.map((x) => x.toFixed(3)))], ['1.500'], 'house and heat pump');
  t.match(days.battery, {
    ...{ capacity_kwh: 9, least_kwh: 1, charge_max_kw: 2.5, discharge_max_kw: 2 },
    ...{ eta_charge: 0.94, eta_discharge: 0.96, grid_charge: true, grid_discharge: false },
  });
  t.ok(Math.abs((days.battery?.wear_per_kwh ?? 0) - 0.02) < 1e-12);
  t.match(days.car, { arrives: '07:00', leaves: '07:00', max_kw: 3.7 });
  t.ok(Math.abs((days.car?.need_kwh ?? 0) - 7.4) < 0.1, 'what it took, not what was asked for');
  const evening = { ...wallbox, deadline: { ...wallbox.deadline, from: '18:00' } };
  const late = must(ownDays(house({ devices: [heating, evening, battery] }), NOW));
  t.match(late.days.car, { arrives: '18:00', leaves: '07:00' }, 'it says when it comes home');
  t.match(late.notes[1], /by 07:00, and as there from 18:00\.$/);
  t.equal(days.pv_kw, undefined, 'a battery that gives is no roof');
  t.match(notes[0], /^Cellar battery: .* simulated as configured\.$/);
  t.match(notes[1], /^Wallbox: .* 7\.4 kWh a day, by 07:00/);
  t.equal(notes[2], 'Stays in the base load as it ran: Heat pump.');
  t.end();
});

test('a roof that sleeps at night gives nothing then, and hides nothing', (t) => {
  const sun_W = (atMs: number): number => (localHour(atMs) >= 7 && localHour(atMs) < 19 ? 4000 : 0);
  const series = seriesOf({
    ...VALUES,
    'grid/activePower': (at) => (VALUES['grid/activePower']?.(at) ?? 0) - sun_W(at),
    'roof/activePower': (at) => (sun_W(at) > 0 ? -sun_W(at) : undefined),
  });
  const roof = { id: 'roof', name: 'Roof', deadline: null, battery: null };
  const { days, notes } = must(ownDays(house({ series, devices: [battery, roof, wallbox] }), NOW));
  t.same([...new Set(days.base_load_kw.map((x) => x.toFixed(3)))], ['1.500']);
  t.same([...new Set(days.pv_kw)], [0, 4]);
  t.notMatch(notes.join(), /No readings/);
  t.end();
});

test('each slot has the price of its own hour, the day of 23 hours in it', (t) => {
  const own = must(ownDays(house(), NOW));
  const { start, base_load_kw, prices } = own.days;
  t.same([start, base_load_kw.length], ['2026-03-14T00:00', 27 * 96 - 4]);
  const fromMs = startOfDay(Date.parse('2026-03-14T12:00:00Z'), ZONE);
  const wrong = prices.import.filter(
    (price, i) => Math.abs(price - 1000 * (tariffAt(NIGHT, ZONE, fromMs + i * QUARTER) ?? 0)) > 1e-9,
  );
  t.same(wrong, []);
  t.end();
});

test('prices by the hour come from the store; what is not known is said, and too much of it refused', (t) => {
  const market = (atMs: number): number => (localHour(atMs) < 6 ? 0.0001 : 0.0004);
  const dynamic = { ...house().site, importTariff: [], exportTariff: [] };
  const priced = (known: (atMs: number) => boolean, changes: Partial<OwnHouse> = {}) =>
    ownDays(
      house({
        site: dynamic,
        series: seriesOf({ ...VALUES, '_prices/importPrice': (at) => (known(at) ? market(at) : undefined) }),
        ...changes,
      }),
      NOW,
    );
  const all = must(priced(() => true));
  t.same([...new Set(all.days.prices.import.map((x) => x.toFixed(3)))], ['0.100', '0.400']);
  t.match(all.notes.join(' '), /No price for feeding in is known for 647 hours: it earns nothing then\./);
  const day = Date.UTC(2026, 3, 1);
  const gap = must(priced((at) => at < day || at >= day + DAY));
  t.match(gap.notes.join(' '), /No import price is known for 24 hours: they cost the mean of the others\./);
  const none = priced(() => false);
  t.match(none, {
    ok: false,
    error: { code: 'SCENARIO_INVALID', message: /no import price is known for 647 of 647 hours/ },
  });
  t.match(
    priced((at) => at > NOW - 20 * DAY),
    { ok: false },
    'a quarter of the time is too much',
  );
  t.ok(priced(() => false, { isPricedElsewhere: true }).ok, 'another contract has prices of its own');
  t.end();
});

test('what was not read is said; a device that was silent hides what the house drew', (t) => {
  const quiet = Date.UTC(2026, 3, 2);
  const series = seriesOf({
    ...VALUES,
    'battery/activePower': (at) => (at >= quiet && at < quiet + 6 * HOUR ? undefined : battery_W(at)),
  });
  const own = must(
    ownDays(
      house({ series, site: { ...house().site, peak: { price_perW: 0.1, free_W: 0 }, co2_perG: 1e-4 } }),
      NOW,
    ),
  );
  t.same([...new Set(own.days.base_load_kw.map((x) => x.toFixed(3)))], ['1.500']);
  t.match(
    own.notes.join(' '),
    /No readings in 6 hours: .* What the month's peak costs is not in it\. What CO2 /,
  );
  const deaf = seriesOf({ ...VALUES, 'grid/activePower': (at) => (localHour(at) < 8 ? undefined : 1500) });
  t.match(ownDays(house({ series: deaf }), NOW), {
    ok: false,
    error: { message: /^no readings in \d+ of 647 hours$/ },
  });
  t.end();
});

test('from the configuration and the database of a gateway to the report', async (t) => {
  const folder = t.testdir({});
  const clock = systemClock();
  const database = path.join(folder, 'store', 'hearth.sqlite');
  mkdirSync(path.dirname(database));
  const storage = openStore(database, { clock, timeZone: ZONE });
  const now = clock.wallMs();
  const stored: Values = { ...VALUES, '_prices/importPrice': () => 0.0003 };
  for (let atMs = now - 3 * DAY; atMs < now; atMs += QUARTER)
    for (const [point, value] of Object.entries(stored)) {
      const [source = '', quantity] = point.split('/');
      storage.series.append([
        {
          point: {
            source,
            quantity: quantity === 'importPrice' ? 'importPrice' : 'activePower',
            phase: 0,
            tariff: 0,
            channel: 0,
          },
          ...{ value: value(atMs) ?? 0, quality: 'good', meterTimeMs: null },
          ...{ receivedMs: atMs, receivedElapsedMs: clock.elapsedMs() - (now - atMs) },
        },
      ]);
    }
  storage.close();
  const link = { kind: 'tcp', host: '192.0.2.10', port: 502 };
  const file = path.join(folder, 'hearth.json');
  writeFileSync(
    file,
    JSON.stringify({
      site: { timeZone: ZONE, currency: 'EUR', fuse_A: 35, phases: 3, importTariff: [], exportTariff: 0.08 },
      store: { path: 'store/hearth.sqlite' },
      meters: [
        {
          id: 'grid',
          name: 'Meter',
          protocol: 'dsmr-p1',
          link: { kind: 'tcp', host: '192.0.2.9', port: 8088 },
        },
      ],
      devices: [
        {
          ...{ id: 'battery', name: 'Cellar battery', profile: 'battery-register', link },
          battery: { capacity_Wh: 10_000, charge_W: 2500, discharge_W: 2000 },
        },
      ],
    }),
  );
  const parts: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      parts.push(String(chunk));
      done();
    },
  });
  await simulate(Readable.from([]), out, { own: file, solver: false, progress: null });
  const report = JSON.parse(parts.join('')) as {
    days: number;
    runs: Record<string, { import_kwh: number }>;
    notes: string[];
  };
  t.ok(report.days >= 1.9 && report.days <= 3, `${report.days} days`);
  t.match(report.notes[0], /^Cellar battery: /);
  // All that the house drew but the battery, less what that gave of the half that it began with.
  const drawn_kwh = report.days * (24 * 1.5 + 2 * 3.7) - 4.5 * 0.95;
  t.ok(Math.abs((report.runs['no control']?.import_kwh ?? 0) - drawn_kwh) < 4, `${drawn_kwh} kWh`);
});
