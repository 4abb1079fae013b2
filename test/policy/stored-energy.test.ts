/** What stored energy is worth: at the end of known prices, under peaks, carbon and errors, and against the other choice. */
import { test } from 'tap';
import type { HousePlan } from '../../firmware/domain/house-plan.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { QUARTER_MS } from '../../firmware/policy/forecast/series.ts';
import { alternatives, carriedOn } from '../../firmware/policy/planner/alternative.ts';
import { houseScenario } from '../../firmware/policy/planner/house.ts';
import { horizonOf } from '../../firmware/policy/planner/house-grid.ts';
import { quartersOf } from '../../firmware/policy/planner/house-slots.ts';
import { houseSpread } from '../../firmware/policy/planner/house-spread.ts';
import { evaluate } from '../../firmware/policy/planner/model.ts';
import { parseScenario } from '../../firmware/policy/planner/scenario.ts';
import type { PlanningDeps } from '../../firmware/policy/planning.ts';
import {
  battery,
  boiler,
  HOUR,
  image,
  inverter,
  known,
  MINUTE,
  NOON,
  prices,
  SITE,
  signal,
  tank,
  wallbox,
} from './home.ts';
import { CURVE, courseAt, follow, modeAt, planned, pointOf } from './planned.ts';

/** The reason's value, rounded to a thousandth. */
const told = async (device: DeviceImage, key: string, ...perKWh: number[]): Promise<number> => {
  const house = image({ grid_W: known(1000), devices: [device], signals: [prices(...perKWh)] });
  const { planner } = await planned(house);
  const reason = decide(follow(house, planner)).devices[0]?.reasons.find((r) => r.code === 'PLANNED');
  return Math.round(Number(reason?.values[key] ?? Number.NaN) * 1000) / 1000;
};

test('what the other choice costs, worked out by hand', async (t) => {
  const car = wallbox({
    mode: 'cheap',
    flexibility: {
      ranges: [0, 3680].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 3680, byMs: NOON + 4 * HOUR },
    },
  });
  // An hour at 3.68 kW: at 0.40 now, at 0.10 as planned.
  t.equal(await told(car, 'startingNowCosts', 0.4, 0.4, 0.1, 0.4), 1.104);
  // A quarter of it taken at 0.40 later and not at 0.10 now.
  t.equal(await told(car, 'waitingCosts', 0.1, 0.4, 0.4, 0.4), 0.276);
  t.equal(await told(car, 'byMs', 0.1, 0.4, 0.4, 0.4), NOON + 4 * HOUR, 'the deadline is told');
  // It would take all of the cheap hour. 1.25 kWh less taken at 0.10 are 1.25 · 0.95² = 1.128 kWh less given at 0.50,
  // which would have worn 0.01 a kWh: 1.128 · 0.49 − 0.125.
  t.equal(await told(battery({ fill: 0.1 }), 'waitingCosts', 0.1, 0.5, 0.5, 0.5, 0.5, 0.5), 0.428);
  const { plan } = await planned(image({ devices: [car], signals: [prices(0.4, 0.4, 0.1, 0.4)] }));
  t.same(
    plan?.modes.wallbox?.slice(0, 4).map((x) => x.startingNowCosts !== undefined),
    [true, true, true, false],
    'told until the next plan',
  );
  // At least 2.5 kW are begun now and given back to the house before it gets cheap: 0.625 kWh at 0.30, of which
  // 0.625 · 0.95² · (0.30 − 0.01) come back. The energy is reckoned in steps of 1/72 of the battery.
  const rests = await told(battery({ fill: 0.1 }), 'startingNowCosts', 0.3, 0.1, 0.1, 0.4);
  t.ok(Math.abs(rests - 0.024) < 0.005, `${rests}`);
  // Room for three quarters of heat at 2 kW, at 0.10 as planned; one of them now at 0.30.
  const warm = tank({ temperature_C: 60, loss_WPerK: 0 });
  t.equal(await told(warm, 'startingNowCosts', 0.3, 0.3, 0.1, 0.3), 0.1);
  t.equal(await told(warm, 'temperature_C', 0.3, 0.3, 0.1, 0.3), 60);
});

test('a battery is neither emptied at the end of known prices for nothing, nor filled for no reason', async (t) => {
  const flat = prices(...new Array<number>(12).fill(0.3));
  const house = image({ grid_W: known(500), devices: [battery({ fill: 0.8 })], signals: [flat] });
  const { plan } = await planned(house);
  const course = plan?.course?.battery ?? [];
  t.ok(
    course.every((x, i) => i === 0 || x <= (course[i - 1] ?? 0) + 1e-9),
    'nothing is bought at a price that never changes',
  );
  // Twelve hours of 500 W: 6 kWh, of 7 that it may give.
  t.ok((course.at(-1) ?? 0) < 0.2, `it covers the house all the time: ${course.at(-1)}`);
  const feed = signal('exportPrice', [{ fromMs: NOON, untilMs: NOON + 12 * HOUR, value: 0.08e-3 }]);
  const selling = battery({ fill: 0.8, gridDischarge: true });
  const kept = await planned(image({ grid_W: known(0), devices: [selling], signals: [flat, feed] }));
  t.ok((kept.plan?.course?.battery?.at(-1) ?? 0) > 0.75, 'not sold for less than it is worth tomorrow');
});

test('a house that uses little buys no more than it can use, and gives it where it is dear', async (t) => {
  // A cheap hour each night; 150 W all day are 3.6 kWh, and 10 kWh would fit.
  const day = [0.3, 0.3, 0.3, 0.3, 0.3, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3];
  const nights = prices(...day, ...day);
  const bought = async (load_W: number): Promise<number> => {
    const house = image({ grid_W: known(load_W), devices: [battery({ fill: 0.1 })], signals: [nights] });
    const course = (await planned(house)).plan?.course?.battery ?? [];
    return Math.max(...course);
  };
  t.ok((await bought(150)) < 0.5, 'little');
  t.ok((await bought(1500)) > 0.9, 'much');
});

test('a roof that no device speaks for is seen by what flows out, and room is kept for it', async (t) => {
  /** 800 W all day; from 13 to 17 UTC (an hour from now until five) another 4.8 kW flow the other way. */
  const net_W = (sunny: boolean) => (atMs: number) => {
    const hour = (atMs % (24 * HOUR)) / HOUR;
    return sunny && hour >= 13 && hour < 17 ? -4000 : 800;
  };
  const stored = (sunny: boolean): PlanningDeps['series'] => ({
    read: (point, _resolution, fromMs, untilMs) =>
      point === 'grid/activePower'
        ? Array.from({ length: Math.max(0, Math.ceil((untilMs - fromMs) / QUARTER_MS)) }, (_, i) => {
            const atMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS + i * QUARTER_MS;
            return { atMs, value: net_W(sunny)(atMs), min: null, max: null, quality: 'good' };
          })
        : [],
  });
  const house = image({
    grid_W: known(800),
    devices: [battery({ fill: 0.3 })],
    signals: [prices(0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.45, 0.45, 0.45, 0.45, 0.45, 0.45)],
  });
  const dark = await planned(house, { series: stored(false) });
  const sunny = await planned(house, { series: stored(true) });
  const charges = (plan: HousePlan | null): boolean =>
    plan?.modes.battery?.some(({ mode }) => mode.kind === 'charge') ?? false;
  t.ok(charges(dark.plan), 'without sun it pays to buy before six');
  t.notOk(charges(sunny.plan), 'with it nothing is bought');
  t.ok(
    courseAt(sunny.plan, 'battery', 5) > courseAt(sunny.plan, 'battery', 1) + 0.3,
    'what is left over is stored',
  );
  t.equal(dark.plan?.quality.solar.source, 'none');
  t.equal(sunny.plan?.quality.solar.source, 'history');
});

test('where peaks are billed: charged below the highest that is paid for, kept in reserve, and given against a peak', async (t) => {
  const site = { ...SITE, peak: { price_perW: 4e-3, free_W: 1500 } };
  const house = image({ site, grid_W: known(1000), devices: [battery({ fill: 0.2 })], signals: [CURVE] });
  const { planner, plan } = await planned(house);
  const free = await planned({ ...house, site: SITE });
  t.ok(
    (pointOf(follow({ ...house, site: SITE }, free.planner), 'battery') ?? 0) > 1000,
    'no peak: as it likes',
  );
  const point = pointOf(follow(house, planner), 'battery') ?? 0;
  t.ok(point > 100 && point <= 500, `${point} W beside 1 kW, 1.5 kW being free`);
  t.equal(plan?.modes.battery?.[0]?.importUpTo_W, 1500);
  const kettle = follow({ ...house, grid_W: known(3000) }, planner);
  t.equal(pointOf(kettle, 'battery'), -1500, 'it gives what nobody foresaw');
  // The load of now, 1 kW, may double: a reserve of 1 kWh, at most 15 % of 9 kWh.
  const flat = prices(...new Array<number>(12).fill(0.3));
  const long = { ...house, devices: [battery({ fill: 0.9 })], signals: [flat] };
  const least = (x: HousePlan | null): number => Math.min(...(x?.course?.battery ?? []));
  const kept = least((await planned(long)).plan);
  t.ok(Math.abs(kept - 0.2) < 0.01, `${kept}: a tenth is the owner’s, another for peaks`);
  t.ok(least((await planned({ ...long, site: SITE })).plan) < 0.15, 'no peak: the owner’s alone');
  // January begins at 23:00 UTC of the year before: what was then drawn is of this month, what was before is not.
  const rows = [
    { atMs: Date.UTC(2025, 11, 31, 22, 45), value: 9000 },
    { atMs: Date.UTC(2025, 11, 31, 23), value: 3200 },
    { atMs: NOON - 5 * HOUR, value: 2500 },
  ].map((x) => ({ ...x, min: null, max: null, quality: 'good' }));
  const month: PlanningDeps['series'] = {
    read: (point_, _resolution, fromMs, untilMs) =>
      rows.filter((x) => point_ === 'grid/activePowerImport' && x.atMs >= fromMs && x.atMs < untilMs),
  };
  const paid = await planned(house, { series: month });
  t.equal(paid.plan?.modes.battery?.[0]?.importUpTo_W, 3200, 'what this month has seen is paid for');
});

test('a load for five minutes may pass the peak that its quarter hour stays below', async (t) => {
  const site = { ...SITE, peak: { price_perW: 1e-4, free_W: 1000 } };
  const pump = boiler({
    id: 'pump',
    mode: 'cheap',
    flexibility: {
      ranges: [0, 6000].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 500, byMs: NOON + 15 * MINUTE },
    },
  });
  const empty = battery({ fill: 0.1 });
  const house = image({ site, grid_W: known(300), devices: [pump, empty], signals: [prices(0.2, 0.2, 0.2)] });
  const { plan } = await planned(house);
  const runs = (plan?.modes.pump ?? []).flatMap((x, i) => (x.mode.kind === 'charge' ? [i] : []));
  t.equal(runs.length, 1, '6 kW for five minutes: 2.3 kW in the mean of the quarter hour');
  const upTo = (plan?.modes.battery ?? []).map((x) => x.importUpTo_W);
  t.equal(upTo[runs[0] ?? -1], 6300, 'meant to be');
  t.same([...new Set(upTo)].sort(), [2300, 6300], 'elsewhere what is billed anyway');
});

test('what the running quarter hour has imported already leaves more or less for the rest of it', async (t) => {
  const site = { ...SITE, peak: { price_perW: 4, free_W: 2000 } };
  const car = boiler({
    id: 'car',
    mode: 'cheap',
    flexibility: {
      ranges: [{ min_W: 0, max_W: 6000 }],
      step_W: 100,
      need: { energy_Wh: 400, byMs: NOON + HOUR },
    },
  });
  const house = image({
    ...{ site, wallMs: NOON + 11 * MINUTE, grid_W: known(500), devices: [car] },
    signals: [prices(0.1, 0.1)],
  });
  const begins = async (mean_W: number | null): Promise<number> => {
    const series: PlanningDeps['series'] = {
      read: (point, _resolution, fromMs, untilMs) =>
        mean_W !== null && point === 'grid/activePowerImport' && fromMs <= NOON && untilMs > NOON
          ? [{ atMs: NOON, value: mean_W, min: null, max: null, quality: 'good' }]
          : [],
    };
    const { plan } = await planned(house, { series });
    const mode = plan?.modes.car?.[0]?.mode;
    return mode?.kind === 'charge' ? mode.upTo_W : 0;
  };
  // Ten of fifteen minutes are over; 500 W are drawn beside it, 2 kW in the mean are free.
  t.equal(await begins(2750), 0, '2.75 kW for ten minutes and 0.5 kW for five are 2 kW in the mean');
  t.equal(await begins(1500), 2500, '1.5 kW for ten minutes leave 3 kW for five');
  t.equal(await begins(null), 1500, 'unknown: as much as is free');
});

test('carbon counts where the owner gives something for it and it is known', async (t) => {
  const site = { ...SITE, co2_perG: 1e-3 };
  // 500 g/kWh now, 100 g/kWh later, at one price: 0.5 and 0.1 EUR.
  const co2 = signal('co2', [
    { fromMs: NOON, untilMs: NOON + 2 * HOUR, value: 0.5 },
    { fromMs: NOON + 2 * HOUR, untilMs: NOON + 6 * HOUR, value: 0.1 },
  ]);
  const flat = prices(...new Array<number>(8).fill(0.3));
  const house = image({ site, devices: [tank({ temperature_C: 47 })], signals: [flat, co2] });
  const s = houseScenario(house);
  t.equal(s?.co2?.price_per_kg, 1);
  t.equal(s?.co2?.g_per_kwh[0], 500);
  t.ok(
    Math.abs((s?.co2?.g_per_kwh[8 + 4 * 7] ?? 0) - 700 / 3) < 1e-6,
    'unknown: as the mean of what is known',
  );
  const { plan } = await planned(house);
  const heats = (plan?.modes.tank ?? []).filter((x) => x.mode.kind === 'heat' && x.mode.level !== 'off');
  const hours = heats.map((x) => (x.fromMs - NOON) / HOUR);
  t.ok(hours.length > 0 && hours.every((h) => h >= 2 && h < 6), hours.join(' '));
  t.equal(houseScenario({ ...house, site: SITE })?.co2, null);
  const brief = signal('co2', [{ fromMs: NOON, untilMs: NOON + 3 * HOUR, value: 0.1 }]);
  t.equal(
    houseScenario({ ...house, signals: [flat, brief] })?.co2,
    null,
    'known for less than half of the time',
  );
});

test('where feeding in costs, the roof gives what the house takes, and a battery comes first', async (t) => {
  const feed = signal('exportPrice', [
    { fromMs: NOON, untilMs: NOON + HOUR, value: -0.05e-3 },
    { fromMs: NOON + HOUR, untilMs: NOON + 8 * HOUR, value: 0.08e-3 },
  ]);
  const flat = prices(...new Array<number>(8).fill(0.3));
  const sunny = signal('solarForecast', [{ fromMs: NOON, untilMs: NOON + 8 * HOUR, value: 4000 }]);
  const roof = inverter({ power_W: known(-4000), atGrid_W: -4000, setPoint_W: -5000 });
  const full = battery({ fill: 1 }, { flexibility: { ranges: [{ min_W: -5000, max_W: 0 }] } });
  const house = image({ grid_W: known(-3400), devices: [full, roof], signals: [flat, feed, sunny] });
  const { planner, plan } = await planned(house);
  t.equal(plan?.quality.solar.source, 'supplied');
  t.match(modeAt(plan, 'inverter', 0.5), { kind: 'gridTarget' });
  t.equal(modeAt(plan, 'inverter', 1.5), undefined, 'later nobody leads it');
  const points = (now: Image): (number | undefined)[] =>
    ['battery', 'inverter'].map((id) => pointOf(now, id));
  t.same(points(follow(house, planner)), [0, -600], 'the house takes 600 W');
  const later = follow({ ...house, wallMs: NOON + 1.5 * HOUR }, planner);
  t.same(points(later), [0, -5000], 'later all it can');
  t.equal(points({ ...follow(house, planner), grid_W: known(null, Infinity) })[1], -5000);
  const empty = await planned({ ...house, devices: [battery({ fill: 0.2 }), roof] });
  t.ok(
    (pointOf(follow({ ...house, devices: [battery({ fill: 0.2 }), roof] }, empty.planner), 'battery') ?? 0) >
      2500,
  );
  const uncontrolled = inverter({ power_W: known(-4000), flexibility: { controlType: 'NOT_CONTROLABLE' } });
  const given = await planned({ ...house, devices: [battery({ fill: 0.9 }), uncontrolled] });
  t.equal(modeAt(given.plan, 'inverter', 0.5), undefined, 'what nobody can turn down is not turned down');
});

test('a battery that is told otherwise than planned makes the best of the rest', async (t) => {
  const parsed = parseScenario({
    ...{ n: 4, dt_h: 1, grid: { import_max_kw: 10, export_max_kw: 10 }, base_load_kw: [1, 1, 1, 1] },
    prices: { import: [0.1, 0.12, 0.5, 0.5], export: [0, 0, 0, 0] },
    devices: [
      {
        ...{ id: 'battery', type: 'battery', soc0_kwh: 0, soc_min_kwh: 0, soc_max_kwh: 5 },
        ...{ charge_max_kw: 2, discharge_max_kw: 2, eta_charge: 1, eta_discharge: 1 },
      },
    ],
  });
  t.ok(parsed.ok);
  if (!parsed.ok) return;
  const planned_ = { battery: { charge_kw: [2, 0, 0, 0], discharge_kw: [0, 0, 1, 1] } };
  const begun = { battery: { charge_kw: [0, 0, 0, 0], discharge_kw: [0, 0, 1, 1] } };
  t.equal(evaluate(parsed.value, begun).feasible, false, 'it would give what it never took');
  const made = carriedOn(parsed.value, planned_, begun, 1);
  const { feasible, cost } = evaluate(parsed.value, made);
  t.ok(feasible);
  // A kWh now, 3 in the second hour, of which the last two hours are covered: 0.1 + 3 · 0.12.
  t.ok(Math.abs(cost - 0.46) < 1e-6, `${cost}`);
  t.same(carriedOn(parsed.value, planned_, planned_, 1), planned_, 'what begins as planned goes on so');
  const waiting = alternatives(parsed.value, planned_).battery?.waitingCosts ?? 0;
  t.ok(Math.abs(waiting - 0.04) < 1e-6, `${waiting}: 2 kWh at 0.12 and not at 0.10`);
});

test('what may come is learnt from the errors of the last day', async (t) => {
  const house = image({ devices: [battery(), inverter()], signals: [CURVE] });
  const s = houseScenario(house);
  if (!s) throw new Error('there is something to plan');
  const quarters = quartersOf(horizonOf(house));
  const kw = (x: number): number[] => new Array<number>(s.n).fill(x);
  const expected = {
    ...s,
    base_load_kw: kw(0.5),
    devices: s.devices.map((d) => (d.type === 'pv' ? { ...d, available_kw: kw(1) } : d)),
  };
  const day = (error_W: number) => {
    const told = (by_W: number) => ({
      expected: new Array<number>(96).fill(500),
      actual: Array.from({ length: 96 }, (_, i) => 500 + (i % 2 ? by_W : -by_W)),
    });
    return houseSpread(expected, quarters, { load: told(error_W), solar: told(0) });
  };
  const [calm, wild, unknown] = [day(10), day(600), houseSpread(expected, quarters, null)];
  t.ok(calm.load_kw < 0.2 && Math.abs(wild.load_kw - 0.57) < 0.05, `${calm.load_kw} and ${wild.load_kw} kW`);
  t.ok(unknown.load_kw > calm.load_kw && unknown.load_kw < wild.load_kw, 'nothing known: half of the load');
  t.ok(calm.margin_per_kwh < unknown.margin_per_kwh && unknown.margin_per_kwh < wild.margin_per_kwh);
  t.equal(wild.solar.length, s.n);
  // Noon in Berlin is at 11 UTC: 48 slots from there to midnight.
  t.same(
    wild.newDay.flatMap((isNew, i) => (isNew ? [i] : [])),
    [],
    'twelve hours of known prices end with the day',
  );
});

test('energy from the grid must save more than losses, wear and what forecasts err', async (t) => {
  const evening = signal('solarForecast', [
    { fromMs: NOON + 7 * HOUR, untilMs: NOON + 8 * HOUR, value: 500 },
  ]);
  const first = async (later: number): Promise<string | undefined> => {
    const curve = prices(0.2, later, later, later, later, later, later, later);
    const devices = [battery({ fill: 0.1 }), inverter({ power_W: known(0) })];
    const { plan } = await planned(image({ grid_W: known(1000), devices, signals: [curve, evening] }));
    return modeAt(plan, 'battery', 0.1)?.kind;
  };
  // A kWh bought at 0.20 gives 0.9025, which wear 0.009: even at 0.232. Half of the load being unknown, a twentieth of
  // the mean price must be saved on top.
  t.equal(await first(0.236), 'selfConsume');
  t.equal(await first(0.3), 'charge');
});
