/** Home batteries and heat stores: as the planner sees them, as their plan is followed, and what their thermostat does. */
import { test } from 'tap';
import { ok } from '../../firmware/domain/errors.ts';
import type { HousePlan } from '../../firmware/domain/house-plan.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import type { JournalEntry } from '../../firmware/domain/storage.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { comfortAt, copAt } from '../../firmware/policy/comfort.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { heatForecasts } from '../../firmware/policy/forecast/heat.ts';
import { pastOf } from '../../firmware/policy/forecast/past.ts';
import { QUARTER_MS } from '../../firmware/policy/forecast/series.ts';
import { afterFirstSlot, alternatives } from '../../firmware/policy/planner/alternative.ts';
import { houseScenario } from '../../firmware/policy/planner/house.ts';
import { houseSpread } from '../../firmware/policy/planner/house-spread.ts';
import { evaluate } from '../../firmware/policy/planner/model.ts';
import { planHouse } from '../../firmware/policy/planner/plan-house.ts';
import { parseScenario } from '../../firmware/policy/planner/scenario.ts';
import { Planning, type PlanningDeps } from '../../firmware/policy/planning.ts';
import {
  battery,
  HOUR,
  heatPump,
  image,
  inverter,
  known,
  limitNow,
  NOON,
  prices,
  SITE,
  signal,
  TANK_STORE,
  tank,
  wallbox,
} from './home.ts';

/** Plans in this very process, without a solver. */
const standIn: PlanningDeps['make'] = async (task) => ok(await planHouse(task, null));
const NOTHING: PlanningDeps['series'] = { read: () => [] };

async function planned(house: Image, patch: Partial<PlanningDeps> = {}) {
  const journal: JournalEntry[] = [];
  const planner = new Planning({
    clock: new SimulatedClock(house.wallMs),
    series: NOTHING,
    journal: { record: (entry) => void journal.push(entry), read: () => [] },
    gridMeter: 'grid',
    place: null,
    roof: null,
    make: standIn,
    image: () => house,
    changed: () => {},
    ...patch,
  });
  await planner.look();
  return { planner, plan: planner.current(), journal };
}

const modeAt = (plan: HousePlan | null, id: string, hour: number): Mode | undefined =>
  plan?.modes[id]?.find((s) => s.fromMs <= NOON + hour * HOUR && NOON + hour * HOUR < s.untilMs)?.mode;
const follow = (house: Image, planner: Planning): Image => ({
  ...house,
  modes: planner.modes(house.devices),
});
const SLOT = { fromMs: NOON - HOUR, untilMs: NOON + HOUR };
const pointOf = (house: Image, id: string): number | undefined =>
  decide(house).devices.find((d) => d.resource === id)?.setPoint_W;

/** Cheap now, dear in the evening, middling after it. */
const CURVE = prices(0.1, 0.1, 0.3, 0.3, 0.3, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3);

test('a battery is charged from the grid where it is cheap and gives where it is dear', async (t) => {
  const house = image({ grid_W: known(1000), devices: [battery({ fill: 0.2 })], signals: [CURVE] });
  const { planner, plan, journal } = await planned(house);
  t.match(journal, [{ code: 'PLANNED' }]);
  t.match(modeAt(plan, 'battery', 0.5), { kind: 'charge' });
  t.match(modeAt(plan, 'battery', 5.5), { kind: 'selfConsume' });
  t.equal(modeAt(plan, 'battery', 5.5)?.kind === 'selfConsume' && plan?.modes.battery?.length, 48);
  const now = follow(house, planner);
  t.ok((pointOf(now, 'battery') ?? 0) > 1000, `${pointOf(now, 'battery')} W from the grid`);
  t.match(decide(now).devices[0]?.reasons, [
    { code: 'PLANNED', values: { mode: 'charge', price: 0.1e-3, fill: 0.2, waitingCosts: Number } },
  ]);
  const course = plan?.course?.battery ?? [];
  t.equal(course.length, 49);
  t.equal(course[0], 0.2);
  t.ok(course.every((x) => x >= 0.1 - 1e-6 && x <= 1 + 1e-6));
  t.ok((course[8] ?? 0) > (course[32] ?? 1) + 0.2, 'full after the cheap hours, given in the dear ones');
});

test('what is not known, or wanted otherwise, is not planned and runs by itself', async (t) => {
  const unplanned: readonly DeviceImage[] = [
    battery({ fill: null }),
    battery({}, { mode: 'solar' }),
    battery({}, { mode: 'always' }),
    battery({}, { health: 'silent' }),
    battery({}, { override: { kind: 'off' } }),
    tank({ temperature_C: null }),
    tank({}, { mode: 'solar' }),
    heatPump({ outdoor_C: null }),
  ];
  for (const device of unplanned) {
    const { plan, journal } = await planned(image({ devices: [device], signals: [CURVE] }));
    t.equal(plan, null, JSON.stringify([device.mode, device.health, device.flexibility.store]));
    t.match(journal, [{ code: 'NO_NEED' }]);
  }
  const told = signal('temperatureForecast', [{ fromMs: NOON - HOUR, untilMs: NOON + 48 * HOUR, value: 4 }]);
  const warm = await planned(image({ devices: [heatPump({ outdoor_C: null })], signals: [CURVE, told] }));
  t.match(warm.plan?.quality.temperature, { source: 'supplied', meanError_C: null });
});

test('a tank is heated where it is cheap, before it gets cold, and never above what it bears', async (t) => {
  // Loses 85 W: from 48 °C it falls by 0.24 K an hour, so two hours of heat now last for the day.
  const house = image({ devices: [tank({ temperature_C: 48 })], signals: [CURVE] });
  const { planner, plan } = await planned(house);
  t.match(modeAt(plan, 'tank', 0.3), { kind: 'heat', level: 'normal' });
  t.match(modeAt(plan, 'tank', 5.5), { kind: 'heat', level: 'off' });
  const course = plan?.course?.tank ?? [];
  t.ok(
    course.every((x) => x > 45 && x < 65.1),
    course.map((x) => x.toFixed(1)).join(' '),
  );
  t.equal(pointOf(follow(house, planner), 'tank'), 2000);
  const beyond = await planned(
    image({ devices: [tank({ temperature_C: 57 })], signals: [prices(-0.2, -0.2, 0.3, 0.3)] }),
  );
  t.match(modeAt(beyond.plan, 'tank', 0.5), { kind: 'heat', level: 'boost' }, 'paid for: beyond its band');
  t.ok((beyond.plan?.course?.tank ?? []).every((x) => x < 65.1));
});

test('a house is kept within its band by local time, over a change of the clock', async (t) => {
  const store = {
    ...TANK_STORE,
    comfort: [
      { from: '06:00', lo_C: 20, hi_C: 22 },
      { from: '22:00', lo_C: 17, hi_C: 22 },
    ],
  };
  const zone = 'Europe/Berlin';
  // Summer time begins on 2026-03-29 at 01:00 UTC: 06:00 is at 05:00 UTC the day before and at 04:00 from then on.
  t.equal(comfortAt(store, Date.UTC(2026, 2, 28, 4, 59), zone).lo_C, 17);
  t.equal(comfortAt(store, Date.UTC(2026, 2, 28, 5, 0), zone).lo_C, 20);
  t.equal(comfortAt(store, Date.UTC(2026, 2, 29, 3, 59), zone).lo_C, 17);
  t.equal(comfortAt(store, Date.UTC(2026, 2, 29, 4, 0), zone).lo_C, 20);
  t.equal(comfortAt(store, null, zone).lo_C, 20, 'no clock: the warmest');
  t.same(comfortAt({ ...store, comfort: [{ from: '00:00', lo_C: 22, hi_C: 19 }] }, NOON, zone), {
    lo_C: 22,
    hi_C: 22,
  });
  const pump = { ...store, cop: [-7, 2, 7].map((outdoor_C) => ({ outdoor_C, cop: 3 + outdoor_C / 10 })) };
  t.same(
    [-20, -7, -2.5, 2, 30].map((x) => Number(copAt(pump, x).toFixed(6))),
    [2.3, 2.3, 2.75, 3.2, 3.7],
    'between two rows linear, beyond them constant',
  );
  // 24 hours from noon of March 28: the band rises at 04:00 UTC, 17 hours after it.
  const wallMs = Date.UTC(2026, 2, 28, 11);
  const told = [{ fromMs: wallMs, untilMs: wallMs + 24 * HOUR, value: 0.3e-3 }];
  const house = image({
    wallMs,
    devices: [heatPump({ comfort: store.comfort, temperature_C: 20.5 })],
    signals: [signal('importPrice', told)],
  });
  const s = houseScenario(house);
  const pumpThere = s?.devices.find((d) => d.type === 'thermal');
  const lows = pumpThere?.type === 'thermal' ? pumpThere.lo_c : [];
  t.ok((lows[17 * 4 - 2] ?? 0) < 18 && (lows[17 * 4 - 1] ?? 0) > 20, lows.join(' '));
  const { plan } = await planned(house);
  const course = plan?.course?.['heat-pump'] ?? [];
  t.ok((course[17 * 4] ?? 0) >= 20, `${course[17 * 4]} °C at six`);
  t.ok(
    course.slice(0, 40).every((x) => x >= 20),
    'warm until ten in the evening',
  );
});

test('the thermostat stands above plan and price, below limits and owner', async (t) => {
  const off: Image['modes'] = {
    tank: [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode: { kind: 'heat', level: 'off' } }],
  };
  const boost: Image['modes'] = {
    tank: [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode: { kind: 'heat', level: 'boost' } }],
  };
  const on = { setPoint_W: 2000, power_W: known(2000) };
  const rows: readonly [string, DeviceImage, Partial<Image>, number, string][] = [
    ['too cold, though the plan says off', tank({ temperature_C: 44.9 }), { modes: off }, 2000, 'TOO_COLD'],
    ['a little further, once it runs', tank({ temperature_C: 46.9 }, on), { modes: off }, 2000, 'TOO_COLD'],
    ['then the plan again', tank({ temperature_C: 47.1 }, on), { modes: off }, 0, 'PLANNED'],
    ['in the band: as planned', tank({ temperature_C: 50 }), { modes: boost }, 2000, 'PLANNED'],
    ['warm, but the plan boosts', tank({ temperature_C: 60 }, on), { modes: boost }, 2000, 'PLANNED'],
    ['the most that it bears', tank({ temperature_C: 65 }, on), { modes: boost }, 0, 'WARM_ENOUGH'],
    ['warm without a plan', tank({ temperature_C: 58 }, on), {}, 0, 'WARM_ENOUGH'],
    ['no plan: it goes on within its band', tank({ temperature_C: 57.9 }, on), {}, 2000, 'FREE'],
    ['no plan: it stays off within its band', tank({ temperature_C: 45.1 }), {}, 0, 'WARM_ENOUGH'],
    ['no clock', tank({ temperature_C: 44 }), { wallTrusted: false }, 2000, 'TOO_COLD'],
    ['unknown: its own thermostat', tank({ temperature_C: null }), { modes: off }, 2000, 'FREE'],
    ['its owner said off', tank({ temperature_C: 30 }, { override: { kind: 'off' } }), {}, 0, 'OWNER_OFF'],
    [
      'its owner said now',
      tank({ temperature_C: 60 }, { override: { kind: 'now', untilMs: null } }),
      { modes: off },
      2000,
      'OWNER_NOW',
    ],
    [
      'its owner said now, and it bears no more',
      tank({ temperature_C: 66 }, { override: { kind: 'now', untilMs: null } }),
      {},
      0,
      'OWNER_NOW',
    ],
    ['own sun: cold', tank({ temperature_C: 40 }, { mode: 'solar' }), {}, 2000, 'TOO_COLD'],
    ['own sun: none', tank({ temperature_C: 50 }, { mode: 'solar' }), {}, 0, 'OWN_SOLAR'],
    ['own sun: some', tank({ temperature_C: 60 }, { mode: 'solar' }), { grid_W: known(-2500) }, 2000, 'FREE'],
    [
      'own sun: too hot',
      tank({ temperature_C: 66 }, { mode: 'solar' }),
      { grid_W: known(-2500) },
      0,
      'WARM_ENOUGH',
    ],
    ['a limit', tank({ temperature_C: 30 }), { signals: [limitNow(1000)] }, 0, 'GRID_LIMIT'],
    ['a dead meter', tank({ temperature_C: 30 }), { grid_W: known(null, Infinity) }, 0, 'STALE_METER'],
  ];
  for (const [name, device, patch, point_W, code] of rows) {
    const decision = decide(image({ ...patch, devices: [device] })).devices[0];
    t.equal(decision?.setPoint_W, point_W, `${name}: ${decision?.reasons.map((r) => r.code)}`);
    t.equal(decision?.reasons[0]?.code, code, name);
  }
  const cold = decide(image({ devices: [tank({ temperature_C: 44 })] })).devices[0]?.reasons[0];
  t.same(cold, { code: 'TOO_COLD', values: { temperature_C: 44, lo_C: 45, hi_C: 58 } });
});

test('a band without width, and prices that nobody would believe', async (t) => {
  const strange: readonly DeviceImage[] = [
    tank({ comfort: [{ from: '00:00', lo_C: 60, hi_C: 40 }] }),
    tank({ comfort: [] }),
    tank({ temperature_C: 90 }),
    tank({ capacity_WhPerK: 0 }),
    heatPump({ cop: [] }),
    heatPump({ loss_WPerK: 0, temperature_C: -40 }),
    battery({ fill: 1.4 }),
    battery({ fill: 0.02 }),
    battery({ leastFill: 0.9, mostFill: 0.2 }),
    battery({ charge_W: 0, discharge_W: 0 }),
    battery({ chargeEfficiency: 0, dischargeEfficiency: 3 }),
  ];
  for (const device of strange)
    for (const curve of [CURVE, prices(-0.5, -0.1, 4, 0, 0, 0.3)]) {
      const house = image({ devices: [device], signals: [curve] });
      const { planner, plan, journal } = await planned(house);
      t.notMatch(journal, [{ code: 'INTERNAL' }]);
      t.notMatch(journal, [{ code: 'PLAN_INFEASIBLE' }], JSON.stringify([journal, device.flexibility.store]));
      t.ok(plan === null || (plan.course?.[device.id] ?? []).every(Number.isFinite));
      const { corrections } = decide(follow(house, planner));
      t.same(corrections, []);
    }
});

test('one store whose facts nobody can believe does not keep the others from being planned', async (t) => {
  const mad = [
    battery({ capacity_Wh: Number.POSITIVE_INFINITY }, { id: 'mad' }),
    battery({ wear_perWh: Number.NaN }, { id: 'mad' }),
    tank({ comfort: [{ from: '00:00', lo_C: Number.NaN, hi_C: 50 }] }, { id: 'mad' }),
    tank({ comfort: [{ from: '00:00', lo_C: 1e9, hi_C: 2e9 }] }, { id: 'mad' }),
  ];
  for (const device of mad) {
    const house = image({ devices: [device, tank()], signals: [CURVE] });
    const { planner, plan, journal } = await planned(house);
    t.match(journal, [{ code: 'PLANNED' }]);
    t.same(Object.keys(plan?.modes ?? {}), ['tank']);
    t.ok(decide(follow(house, planner)).devices.every((d) => Number.isFinite(d.setPoint_W)));
  }
});

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

test('hot water is learnt from the tank, and the weather from what is measured and told', async (t) => {
  const day = 24 * HOUR;
  const rows = (value: (atMs: number) => number) => (fromMs: number, untilMs: number) =>
    Array.from({ length: Math.max(0, Math.ceil((untilMs - fromMs) / QUARTER_MS)) }, (_, i) => {
      const atMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS + i * QUARTER_MS;
      return { atMs, value: value(atMs), min: null, max: null, quality: 'good' };
    });
  // Showers from 6 to 7 UTC take 3.5 kW of heat: 10 K of 350 Wh/K. They are heated in again after midnight.
  const hour = (atMs: number): number => ((atMs % day) + QUARTER_MS / 2) / HOUR;
  const within = (x: number): number => Math.min(1, Math.max(0, x));
  const temperature = (ms: number): number => 42 + 10 * within(hour(ms)) - 10 * within(hour(ms) - 6);
  const series = new Map<string, ReturnType<typeof rows>>([
    ['tank/temperature', rows(temperature)],
    ['tank/activePower', rows((ms) => 85 + (ms % day < HOUR ? 3500 : 0))],
    ['tank/outdoorTemperature', rows((ms) => 5 + 4 * Math.sin(((ms % day) / day - 0.375) * 2 * Math.PI))],
    ['grid/activePower', rows(() => 500)],
  ]);
  const past = await pastOf(
    {
      series: { read: (point, _resolution, fromMs, untilMs) => series.get(point)?.(fromMs, untilMs) ?? [] },
      gridMeter: 'grid',
      planned: ['tank'],
      producers: [],
      heat: [{ id: 'tank', store: TANK_STORE }],
      timeZone: 'Europe/Berlin',
    },
    NOON,
  );
  const horizon = { fromMs: NOON, slots: 96, timeZone: 'Europe/Berlin' };
  const { draws, outdoor, quality } = heatForecasts(
    {
      outdoor: past.outdoor,
      outdoor_C: 12,
      supplied_C: [],
      stores: past.stores.map((x) => ({ ...x, store: { ...x.store, ambient_C: null } })),
    },
    horizon,
  );
  const at = (hours: number): number => draws.tank?.mean[hours * 4] ?? Number.NaN;
  t.ok(Math.abs(at(19.5) - 3500) < 700, `${at(19.5)} W at half past six`);
  t.ok(at(8) < 100, `${at(8)} W in the evening`);
  t.match(quality, { hotWater: { source: 'history' }, temperature: { source: 'history' } });
  t.ok((quality.temperature?.meanError_C ?? 9) < 0.5);
  t.ok(Math.abs((outdoor?.mean[48] ?? 99) - 1) < 3.5, `${outdoor?.mean[48]} °C at midnight`);
  const known_C = Array.from({ length: 96 }, (_, i) => (i < 48 ? -3 : null));
  const supplied = heatForecasts({ ...past, outdoor_C: -1, supplied_C: known_C }, horizon);
  t.equal(supplied.outdoor?.mean[0], -1, 'moved to what is measured');
  t.ok(Math.abs((supplied.outdoor?.mean[40] ?? 0) + 3 - 2 * 0.985 ** 40) < 1e-6);
  t.equal(supplied.outdoor?.mean[60], outdoor?.mean[60], 'where nothing is told the learnt one goes on');
  t.equal(past.peak_W, 500, 'the highest mean import of the month');
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
  const course = sunny.plan?.course?.battery ?? [];
  t.ok((course[20] ?? 0) > (course[4] ?? 1) + 0.3, 'what is left over is stored');
  t.equal(dark.plan?.quality.solar.source, 'none');
  t.equal(sunny.plan?.quality.solar.source, 'history');
});

test('a store that is far from where the plan had it is planned anew, at most every five minutes', async (t) => {
  let house = image({ grid_W: known(1000), devices: [battery({ fill: 0.5 })], signals: [CURVE] });
  const clock = new SimulatedClock(house.wallMs);
  let count = 0;
  const make: PlanningDeps['make'] = (task) => {
    count += 1;
    return standIn(task);
  };
  const { planner } = await planned(house, { clock, make, image: () => house });
  const lookAt = async (minutes: number, fill: number): Promise<number> => {
    await clock.advanceTo(minutes * 60_000);
    house = { ...house, wallMs: NOON + minutes * 60_000, devices: [battery({ fill })] };
    await planner.look();
    return count;
  };
  t.equal(await lookAt(1, 0.55), 1, 'as planned');
  t.equal(await lookAt(2, 0.2), 1, 'not right after a plan');
  t.equal(await lookAt(6, 0.2), 2);
  t.equal(await lookAt(7, 0.9), 2);
  t.equal(await lookAt(12, 0.9), 3);
  t.equal(await lookAt(13, 0.9), 3);
  house = { ...house, devices: [battery({ fill: null })] };
  await planner.look();
  t.equal(planner.current(), null, 'nothing is left to plan');
  t.same(planner.modes(house.devices), {});
  t.equal(pointOf(house, 'battery'), 0);
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
  t.ok(Math.abs((s?.co2?.g_per_kwh[30] ?? 0) - 700 / 3) < 1e-6, 'unknown: as the mean of what is known');
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
  const made = afterFirstSlot(parsed.value, planned_, begun);
  const { feasible, cost } = evaluate(parsed.value, made);
  t.ok(feasible);
  // A kWh now, 3 in the second hour, of which the last two hours are covered: 0.1 + 3 · 0.12.
  t.ok(Math.abs(cost - 0.46) < 1e-6, `${cost}`);
  t.same(afterFirstSlot(parsed.value, planned_, planned_), planned_, 'what begins as planned goes on so');
  const waiting = alternatives(parsed.value, planned_).battery?.waitingCosts ?? 0;
  t.ok(Math.abs(waiting - 0.04) < 1e-6, `${waiting}: 2 kWh at 0.12 and not at 0.10`);
});

test('what may come is learnt from the errors of the last day', async (t) => {
  const house = image({ devices: [battery(), inverter()], signals: [CURVE] });
  const s = houseScenario(house);
  if (!s) throw new Error('there is something to plan');
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
    return houseSpread(expected, { load: told(error_W), solar: told(0) });
  };
  const [calm, wild, unknown] = [day(10), day(600), houseSpread(expected, null)];
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

test('without a meter what a battery gave when it was last read is not counted on', async (t) => {
  const giving = battery({ gridDischarge: true }, { power_W: known(0), setPoint_W: -3000, atGrid_W: -3000 });
  const charging = wallbox({ power_W: known(3680), setPoint_W: 3680, atGrid_W: 3680 });
  const dark = image({
    grid_W: known(3700, 60_000),
    devices: [giving, charging],
    signals: [limitNow(4200)],
    modes: { battery: [{ ...SLOT, mode: { kind: 'discharge', target_W: 3000 } }] },
  });
  const drawn = 3000 + (pointOf(dark, 'wallbox') ?? 0);
  t.ok(drawn <= 4200, `${drawn} W at worst under a limit of 4200 W`);
  t.same(decide(dark).corrections, [], 'the rules see it as the guard does');
  const stillGives = { ...giving, power_W: known(-3000) };
  t.equal(
    pointOf({ ...dark, devices: [stillGives, charging] }, 'wallbox'),
    3680,
    'what it says itself counts',
  );
});

test('what is for the sun alone takes nothing from the grid, and feeds it nothing, when the sun is not as planned', async (t) => {
  const told = (mode: Mode): NonNullable<Image['modes']> => ({ battery: [{ ...SLOT, mode }] });
  const takes = (gridCharge: boolean, sun_W: number | null, grid_W: number | null) => {
    const power_W = known(2000);
    const roof = sun_W === null ? [] : [inverter({ power_W: known(-sun_W) })];
    const devices = [battery({ gridCharge }, { power_W, setPoint_W: 2000 }), ...roof];
    const house = image({ grid_W: known(grid_W), devices, modes: told({ kind: 'charge', upTo_W: 2000 }) });
    return pointOf(house, 'battery');
  };
  t.equal(takes(false, 0, 3000), 0, 'a cloud');
  t.equal(takes(false, 1200, 1800), 1200, 'a smaller one');
  t.equal(takes(false, 4000, 500), 2000, 'the house may draw from the grid beside it');
  t.equal(takes(false, null, 500), 1500, 'a roof that no device speaks for');
  t.equal(takes(false, 4000, null), 0, 'no meter');
  t.equal(takes(true, 0, 3000), 2000);
  const gives = (gridDischarge: boolean, sun_W: number | null, grid_W: number | null) => {
    const power_W = known(-1000);
    const roof = sun_W === null ? [] : [inverter({ power_W: known(-sun_W) })];
    const devices = [battery({ gridDischarge }, { power_W, setPoint_W: -1000 }), ...roof];
    const house = image({
      grid_W: known(grid_W),
      devices,
      modes: told({ kind: 'discharge', target_W: 1000 }),
    });
    return pointOf(house, 'battery');
  };
  t.equal(gives(false, 0, -800), -200, 'the house takes 200 W and there is no sun');
  t.equal(gives(false, 2000, -2000), -1000, 'it carries the house, the sun is sold');
  t.equal(gives(false, 2000, -2700), -300, 'no more than the house takes');
  t.equal(gives(false, null, -1500), 0, 'a roof that no device speaks for');
  t.equal(gives(false, 0, null), 0, 'no meter');
  t.equal(gives(true, 0, -800), -1000);
});

test('with one level above normal, as SG Ready has it, unknown warmth is left to normal and not to boost', async (t) => {
  const ranges = [0, 2000, 3000].map((p) => ({ min_W: p, max_W: p }));
  const unknown = heatPump({ temperature_C: null }, { mode: 'always', flexibility: { ranges } });
  t.equal(pointOf(image({ devices: [unknown] }), 'heat-pump'), 2000);
  const mild = heatPump({ temperature_C: 21 }, { mode: 'always', setPoint_W: 3000, flexibility: { ranges } });
  t.equal(pointOf(image({ devices: [mild] }), 'heat-pump'), 2000, 'nor is the middle of the band');
});

test('an operator that sends anew all the time, or a sensor that comes and goes, does not keep the planner busy', async (t) => {
  const clock = new SimulatedClock(NOON);
  let looks = 0;
  let made = 0;
  const flickering = (): Image => {
    const fill = looks % 2 ? null : 0.5;
    const changed = { ...CURVE, modifiedMs: NOON + looks };
    return image({
      wallMs: clock.wallMs(),
      elapsedMs: clock.elapsedMs(),
      devices: [battery({ fill }), tank()],
      signals: [changed],
    });
  };
  const planner = new Planning({
    clock,
    series: NOTHING,
    journal: { record: () => {}, read: () => [] },
    gridMeter: 'grid',
    place: null,
    roof: null,
    make: async (task) => {
      made += 1;
      // As long as a plan takes on a small board.
      await clock.advanceTo(clock.elapsedMs() + 8_000);
      return standIn(task);
    },
    image: flickering,
    changed: () => {},
  });
  for (looks = 0; looks < 180; looks++) {
    await planner.look();
    await clock.advanceTo(clock.elapsedMs() + 10_000);
  }
  t.ok(made >= 20 && made <= 60, `${made} plans in an hour: two minutes of each quarter`);
});
