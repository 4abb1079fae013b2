/** `hearth simulate`: days in, what each way of running the home would have cost out. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { test } from 'tap';
import { simulate, tariffText } from '../../firmware/commands/simulate.ts';
import { trialOf } from '../../firmware/config/trial.ts';
import { type Tariff, tariffAt } from '../../firmware/domain/tariff.ts';
import { stayAt } from '../../firmware/policy/simulation/day-slots.ts';
import { type Days, parseDays } from '../../firmware/policy/simulation/days.ts';
import { type Outcome, runHome } from '../../firmware/policy/simulation/home.ts';
import { minuteLoads, replayMinutes } from '../../firmware/policy/simulation/minutes.ts';
import {
  cheapestSlots,
  hindsight,
  noControl,
  planned,
  pricesUntil,
} from '../../firmware/policy/simulation/strategies.ts';
import { underTariff } from '../../firmware/policy/simulation/tariff.ts';

const DAYS = 4;
const hours = (value: (hour: number) => number): number[] =>
  Array.from({ length: 24 * DAYS }, (_, t) => value(t % 24));
const days = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  format: 'hearth-days/1',
  start: '2026-03-01T00:00',
  dt_h: 1,
  grid: { import_max_kw: 12, export_max_kw: 10 },
  prices: { import: hours((h) => (h < 5 ? 0.1 : h > 16 && h < 21 ? 0.5 : 0.3)), export: hours(() => 0.05) },
  base_load_kw: hours((h) => (h > 16 && h < 22 ? 1.5 : 0.4)),
  pv_kw: hours((h) => Math.max(0, 3 - Math.abs(h - 12))),
  battery: { capacity_kwh: 6, charge_max_kw: 3, discharge_max_kw: 3, wear_per_kwh: 0.01 },
  car: { arrives: '18:00', leaves: '07:00', need_kwh: 8, max_kw: 7 },
  ...changes,
});

function read(changes: Record<string, unknown> = {}): Days {
  const parsed = parseDays(days(changes));
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

function sink(): Writable & { text: string } {
  const out = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        out.text += chunk;
        done();
      },
    }),
    { text: '' },
  );
  return out;
}

interface Report {
  readonly notes: readonly string[];
  readonly days: number;
  readonly runs: Record<
    string,
    {
      cost: number;
      captured: number | null;
      carMissing_kwh: number;
      overLimits_kwh: number;
      switches: { car: number };
    }
  >;
}

test('four days: each way in its place, a chart, a bar, another contract', async (t) => {
  const out = sink();
  const progress = sink();
  const file = path.join(t.testdir({}), 'chart.svg');
  await simulate(Readable.from([JSON.stringify(days())]), out, { chart: file, progress });
  const { runs } = JSON.parse(out.text) as Report;
  const cost = (name: string): number => runs[name]?.cost ?? Number.NaN;
  t.ok(cost('hindsight') <= cost('Hearth') + 1e-6 && cost('Hearth') < cost('cheapest slots'), out.text);
  t.ok(cost('cheapest slots') < cost('no control'));
  for (const run of Object.values(runs)) {
    t.equal(run.overLimits_kwh, 0);
    t.ok(run.carMissing_kwh < 0.01, 'nobody leaves with an empty car');
  }
  t.match(progress.text, /Hearth +\[#{40}\] 100 %/);
  t.match(readFileSync(file, 'utf8'), /^<svg[\s\S]+Battery \(kWh\)[\s\S]+<\/svg>\s*$/);
  const flat = sink();
  const tariff = JSON.stringify({ import: 0.3 });
  await simulate(Readable.from([JSON.stringify(days())]), flat, { tariff, solver: false, progress: null });
  const fixed = (JSON.parse(flat.text) as Report).runs.Hearth?.cost ?? 0;
  t.ok(cost('Hearth') < fixed, `a dynamic tariff would have paid: ${cost('Hearth')} against ${fixed}`);
});

test('energy is neither made nor lost, whatever is asked for', async (t) => {
  const d = read();
  const wild = await runHome(
    d,
    (n) => ({ battery_kw: [1e9, -1e9, 2][n % 3] ?? 0, car_kw: [1e9, 0.2, -5][n % 3] ?? 0 }),
    () => {},
  );
  t.ok(
    wild.soc_kwh.every((x) => x >= -1e-9 && x <= 6 + 1e-9),
    'the battery holds what it can',
  );
  t.ok(
    wild.car_kw.every(
      (x, n) =>
        x >= 0 &&
        x <= 7 &&
        (x === 0 ||
          stayAt(d, d.car ?? { arrives: '', leaves: '', need_kwh: 0, min_kw: 0, max_kw: 0 }, n).from <= n),
    ),
  );
  t.ok(wild.violations_kwh === 0);
  const calm = await runHome(
    read({ battery: undefined, car: undefined, pv_kw: undefined }),
    noControl(d),
    () => {},
  );
  t.ok(Math.abs(calm.import_kwh - DAYS * (19 * 0.4 + 5 * 1.5)) < 1e-9);
  const tight = await runHome(
    read({ grid: { import_max_kw: 1, export_max_kw: 10 } }),
    noControl(d),
    () => {},
  );
  t.ok(tight.violations_kwh > 0, 'what is above the connection is counted');
});

test('where every hour costs the same nothing is saved: a stay that the days cut wants its share of all', async (t) => {
  const all = { solver: false, progress: null };
  for (const [start, car] of [
    ['2026-03-01T00:00', { arrives: '18:00', leaves: '07:00', need_kwh: 30, max_kw: 11 }],
    ['2026-03-01T05:00', { arrives: '20:00', leaves: '20:00', need_kwh: 12, max_kw: 4 }],
  ] as const) {
    const flat = { import: hours(() => 0.3), export: hours(() => 0.3) };
    const out = sink();
    await simulate(
      Readable.from([
        JSON.stringify(days({ start, car, prices: flat, pv_kw: undefined, battery: undefined })),
      ]),
      out,
      all,
    );
    const { runs, notes } = JSON.parse(out.text) as Report;
    const first = runs['no control'];
    for (const [name, run] of Object.entries(runs)) {
      t.ok(Math.abs(run.cost - (first?.cost ?? 0)) < 2e-3, `${name}: ${run.cost}`);
    }
    t.match(notes[0], /A stay of the car .* wants the share of its time/);
  }
});

test('every run gives the car the same energy, or pays for what it misses', async (t) => {
  const d = read({ battery: undefined });
  // Four nights: the first from midnight to seven, the last from six to midnight.
  const wanted = 8 * (7 / 13 + 3 + 6 / 13);
  const taken = (o: Outcome): number => o.car_kw.reduce((sum, x) => sum + x, 0) + o.missing_kwh;
  for (const strategy of [noControl(d), cheapestSlots(d), planned(d, null), hindsight(d, null)])
    t.ok(Math.abs(taken(await runHome(d, strategy, () => {})) - wanted) < 1e-6);
  const lazy = await runHome(
    d,
    () => ({ battery_kw: 0, car_kw: 0 }),
    () => {},
  );
  t.ok(Math.abs(lazy.missing_kwh - wanted) < 1e-9);
  const fair = await runHome(d, noControl(d), () => {});
  t.ok(lazy.cost > fair.cost, `${lazy.cost} against ${fair.cost}: it never pays to leave it short`);
});

test('tomorrow is known from one o’clock on; stays pass midnight', (t) => {
  const d = read();
  t.same([pricesUntil(d, 12), pricesUntil(d, 13), pricesUntil(d, 95)], [24, 48, 96]);
  const c = d.car;
  t.same(c && [stayAt(d, c, 3), stayAt(d, c, 12), stayAt(d, c, 20)], [
    { from: -6, until: 7 },
    { from: 18, until: 31 },
    { from: 18, until: 31 },
  ]);
  t.end();
});

test('days with a zone run through its changes of the clock, each slot at the price of its own hour', (t) => {
  const contract: Tariff = [
    {
      from: null,
      steps: [
        { from: '22:00', days: 'all', price: 0.0001 },
        { from: '06:00', days: 'all', price: 0.0004 },
      ],
    },
  ];
  const dt_h = 0.25;
  // The day of the change is the second: 23 or 25 hours.
  for (const [start, startMs, length] of [
    ['2026-03-28T00:00', Date.UTC(2026, 2, 27, 23), 95],
    ['2026-10-24T00:00', Date.UTC(2026, 9, 23, 22), 97],
  ] as const) {
    const values = new Array<number>(4 * length).fill(0.5);
    const d = read({
      ...{ start, dt_h, time_zone: 'Europe/Berlin', base_load_kw: values, pv_kw: undefined },
      prices: { import: values, export: values },
    });
    const priced = underTariff({ import: contract, export: [] }, d);
    const wrong = [...values.keys()].filter((i) => {
      const price = tariffAt(contract, 'Europe/Berlin', startMs + i * 900_000) ?? 0;
      return !priced.ok || Math.abs((priced.value.prices.import[i] ?? 0) - 1000 * price) > 1e-9;
    });
    t.same(wrong, [], 'slots at a wrong price');
    const c = d.car;
    const change = 4 * (length - 96);
    t.same(c && stayAt(d, c, 80), { from: 72, until: 124 + change }, 'gone by seven by the clock');
    t.equal(pricesUntil(d, 4 * 37 + change - 1), 192 + change, 'before one by the clock');
    t.equal(pricesUntil(d, 4 * 37 + change), 288 + change);
  }
  t.match(parseDays(days({ time_zone: 'Mars/Olympus' })), { ok: false, error: { code: 'SCENARIO_INVALID' } });
  t.end();
});

test('a battery that may not take from the grid or feed it does not', async (t) => {
  const d = read({
    battery: {
      capacity_kwh: 6,
      charge_max_kw: 3,
      discharge_max_kw: 3,
      grid_charge: false,
      grid_discharge: false,
    },
  });
  const run = await runHome(
    d,
    (n) => ({ battery_kw: n % 2 ? 3 : -3, car_kw: 0 }),
    () => {},
  );
  t.ok(run.battery_kw.every((x, n) => x <= (d.pv_kw?.[n] ?? 0) && -x <= (d.base_load_kw[n] ?? 0)));
  t.ok(run.battery_kw.some((x) => x > 0) && run.battery_kw.some((x) => x < 0));
});

test('contracts: fixed, by the hour of the day, by the market', (t) => {
  const d = read();
  const buy = (tariff: unknown): number[] | null => {
    const trial = trialOf(tariff);
    const priced = trial.ok ? underTariff(trial.value, d) : trial;
    return priced.ok ? priced.value.prices.import.map((x) => Math.round(x * 1e6) / 1e6) : null;
  };
  t.same(buy({ import: 0.2 })?.slice(0, 2), [0.2, 0.2]);
  const steps = [
    { from: '22:00', price: 0.1 },
    { from: '06:00', price: 0.4 },
    { from: '00:00', price: 0.2, days: 'weekends' },
  ];
  // A Sunday, and three days of the week.
  t.same(
    [0, 23, 24, 29, 30, 45, 46].map((h) => buy({ import: [{ steps }] })?.[h]),
    [0.2, 0.2, 0.1, 0.1, 0.4, 0.4, 0.1],
  );
  t.same(
    [30, 54].map((h) => buy({ import: [{ steps, holidays: ['03-02'] }] })?.[h]),
    [0.2, 0.4],
    'a holiday',
  );
  const sold = trialOf({ import: 0.2, export: 0.07 });
  const both = sold.ok ? underTariff(sold.value, d) : null;
  t.ok(both?.ok && both.value.prices.export.every((x) => Math.abs(x - 0.07) < 1e-9));
  t.same(buy({ import: { market: hours(() => 0.1), factor: 1.2, plus: 0.15 } })?.[0]?.toFixed(3), '0.270');
  for (const bad of [
    null,
    { import: 'x' },
    { import: { market: 7 } },
    { import: [{ steps: [] }] },
    { import: 0.2, feed: 0.1 },
  ])
    t.match(trialOf(bad), { ok: false, error: { code: 'SCENARIO_INVALID', message: /^tariff: / } });
  const short = trialOf({ import: { market: [1] } });
  const late = trialOf({ import: [{ from: '2099-01-01', price: 0.3 }] });
  for (const trial of [short, late, trialOf({})])
    t.match(trial.ok && underTariff(trial.value, d), { ok: false, error: { code: 'SCENARIO_INVALID' } });
  t.end();
});

test('days that are none are refused with a code', async (t) => {
  const bad = [
    null,
    {},
    days({ dt_h: 0.1 }),
    days({ pv_kw: [1] }),
    days({ base_load_kw: [1, 2] }),
    days({ base_load_kw: hours(() => 1e9) }),
    days({ start: 'yesterday' }),
    days({ start: '9999-99-99T99:99' }),
    days({ start: '2026-02-30T00:00' }),
    days({ start: '0000-01-01T00:00', time_zone: 'Europe/Berlin' }),
    days({ time_zone: 7 }),
    days({ battery: { capacity_kwh: 5, least_kwh: 6, charge_max_kw: 3, discharge_max_kw: 3 } }),
    days({ car: { arrives: '18:00', leaves: '07:00', need_kwh: 8, min_kw: 8, max_kw: 7 } }),
    days({ car: { arrives: '25:00', leaves: '07:00', need_kwh: 8, max_kw: 7 } }),
  ];
  for (const input of bad) t.match(parseDays(input), { ok: false, error: { code: 'SCENARIO_INVALID' } });
  await t.rejects(simulate(Readable.from(['{']), sink(), { progress: null }), { code: 'SCENARIO_INVALID' });
  const tariff = path.join(t.testdir({}), 'tariff.json');
  writeFileSync(tariff, '');
  await t.rejects(
    simulate(Readable.from([JSON.stringify(days())]), sink(), {
      tariff: readFileSync(tariff, 'utf8'),
      progress: null,
    }),
    { code: 'SCENARIO_INVALID' },
  );
});

test('files that cannot be read or written are refused with a code', async (t) => {
  t.throws(() => tariffText(path.join(t.testdir({}), 'none.json')), { code: 'USAGE' });
  const chart = path.join(t.testdir({}), 'none', 'chart.svg');
  const options = { chart, solver: false, progress: null };
  await t.rejects(simulate(Readable.from([JSON.stringify(days())]), sink(), options), { code: 'USAGE' });
});

test('minute by minute: the means are kept, and following what was meant beats holding the watts', async (t) => {
  const d = read({ car: undefined });
  const load = minuteLoads(d, 7);
  for (let slot = 0; slot < 24 * DAYS; slot++) {
    const mean = load.slice(slot * 60, slot * 60 + 60).reduce((sum, x) => sum + x, 0) / 60;
    t.ok(Math.abs(mean - (d.base_load_kw[slot] ?? 0)) < 1e-9);
  }
  t.same(load, minuteLoads(d, 7), 'the same seed gives the same minutes');
  const plan = await runHome(d, noControl(d), () => {});
  const { means, watts, modes } = replayMinutes(d, plan, load);
  t.ok(watts > means, 'what the mean hides costs');
  t.ok(modes < watts, `${modes} against ${watts}`);
  const flat = replayMinutes(
    d,
    plan,
    Float64Array.from(load, (_, m) => d.base_load_kw[Math.floor(m / 60)] ?? 0),
  );
  t.ok(Math.abs(flat.watts - flat.means) < 1e-6, 'without anything hidden all are the same');
  const out = sink();
  await simulate(Readable.from([JSON.stringify(days())]), out, {
    minutes: true,
    solver: false,
    progress: null,
  });
  t.match(JSON.parse(out.text), { minutes: { load: 'drawn within each slot' } });
});

test('a scenario is lived through on its forecasts: cost, comfort, switching, a chart', async (t) => {
  const n = 24;
  const flat = (x: number): number[] => new Array<number>(n).fill(x);
  const tank = {
    id: 'tank',
    type: 'thermal',
    c_kwh_per_k: 0.2,
    ua_kw_per_k: 0.002,
    ambient: 'fixed',
    ambient_c: 18,
    t0_c: 50,
    lo_c: flat(45),
    hi_c: flat(60),
    cop: flat(3),
    gain_kw: flat(0),
    draw_kw: flat(0).fill(2, 14, 18),
    draw_forecast_kw: flat(0.3),
    min_kw: 0.8,
    max_kw: 0.8,
    min_on_slots: 2,
    min_off_slots: 2,
    discomfort_per_kh: 0.3,
  };
  const home = {
    format: 'hems-scenario/1',
    id: 'tank-home',
    n,
    dt_h: 0.5,
    grid: { import_max_kw: 5, export_max_kw: 5 },
    prices: { import: flat(0.3).fill(0.1, 4, 8), export: flat(0.05) },
    base_load_kw: flat(0.4),
    devices: [tank],
  };
  const out = sink();
  const file = path.join(t.testdir({}), 'tank.svg');
  await simulate(Readable.from([JSON.stringify(home)]), out, { chart: file, progress: sink() });
  const report = JSON.parse(out.text) as Record<string, number> & {
    foresight: { cost: number; bound: number };
    switches: Record<string, number>;
  };
  t.match(report, { scenario: 'tank-home', violations: [] });
  t.ok(
    (report.cost ?? 0) >= report.foresight.cost - 1e-6 &&
      report.foresight.bound <= report.foresight.cost + 1e-6,
  );
  t.ok((report.discomfort_kh ?? -1) >= 0 && (report.switches.tank ?? 0) >= 2);
  t.match(readFileSync(file, 'utf8'), /tank-home[\s\S]+Devices/);
});
