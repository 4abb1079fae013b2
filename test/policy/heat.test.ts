/** Stores of heat: planned, kept within their comfort, and left to themselves where too little is known. */
import { test } from 'tap';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { comfortAt, copAt } from '../../firmware/policy/comfort.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { heatForecasts } from '../../firmware/policy/forecast/heat.ts';
import { pastOf } from '../../firmware/policy/forecast/past.ts';
import { QUARTER_MS } from '../../firmware/policy/forecast/series.ts';
import { houseScenario } from '../../firmware/policy/planner/house.ts';
import { planProcess } from '../../firmware/policy/solver/plan-process.ts';
import {
  battery,
  HOUR,
  heatPump,
  image,
  known,
  limitNow,
  NOON,
  prices,
  signal,
  TANK_STORE,
  tank,
} from './home.ts';
import { CURVE, follow, modeAt, planned, pointOf } from './planned.ts';

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
  // What it is at the end of a slot counts; an hour of short ones is eight more.
  const six = 8 + 17 * 4;
  t.ok((lows[six - 2] ?? 0) < 18 && (lows[six - 1] ?? 0) > 20, lows.join(' '));
  const { plan } = await planned(house);
  const course = plan?.course?.['heat-pump'] ?? [];
  t.ok((course[six] ?? 0) >= 20, `${course[six]} °C at six`);
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
    [
      'own sun: some',
      tank({ temperature_C: 60 }, { mode: 'solar' }),
      { grid_W: known(-2500) },
      2000,
      'OWN_SOLAR',
    ],
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
      asTold: ['tank'],
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

test('with one level above normal, as SG Ready has it, unknown warmth is left to normal and not to boost', async (t) => {
  const ranges = [0, 2000, 3000].map((p) => ({ min_W: p, max_W: p }));
  const unknown = heatPump({ temperature_C: null }, { mode: 'always', flexibility: { ranges } });
  t.equal(pointOf(image({ devices: [unknown] }), 'heat-pump'), 2000);
  const mild = heatPump({ temperature_C: 21 }, { mode: 'always', setPoint_W: 3000, flexibility: { ranges } });
  t.equal(pointOf(image({ devices: [mild] }), 'heat-pump'), 2000, 'nor is the middle of the band');
});

test('a battery gives nothing for heat that the thermostat, a minimum time or its owner keeps off', async (t) => {
  const modes: Image['modes'] = {
    ...{ battery: [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode: { kind: 'selfConsume' } }] },
    tank: [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode: { kind: 'heat', level: 'normal' } }],
  };
  const given = (device: DeviceImage, signals: Image['signals'] = []): number | undefined =>
    pointOf(
      image({ grid_W: known(300), devices: [device, battery({ fill: 0.5 })], modes, signals }),
      'battery',
    );
  t.equal(given(tank({ temperature_C: 50 })), -2300, 'for the house and for the heat that begins');
  t.equal(given(tank({ temperature_C: 57.9 })), -300, 'too warm to begin: for the house alone');
  t.equal(given(tank({ temperature_C: 50 }, { override: { kind: 'off' } })), -300);
  t.equal(given(tank({ temperature_C: 50 }, { flexibility: { minOffMs: HOUR }, inStateMs: 1000 })), -300);
});

test('minimum times of a day are planned in the memory that a plan has', async (t) => {
  const make = planProcess(systemClock(), { solver: null, limitMs: 60_000, memory_MiB: 200 });
  const curve = prices(...Array.from({ length: 48 }, (_, i) => 0.2 + 0.1 * Math.sin(i / 4)));
  const slow = heatPump({}, { flexibility: { minOnMs: 24 * HOUR, minOffMs: 24 * HOUR } });
  const { plan, journal } = await planned(image({ devices: [slow], signals: [curve] }), { make });
  t.match(journal, [{ code: 'PLANNED' }]);
  const isOn = (plan?.modes['heat-pump'] ?? []).map(
    ({ mode }) => mode.kind === 'heat' && mode.level !== 'off',
  );
  const changes = isOn.filter((on, i) => i > 0 && on !== isOn[i - 1]).length;
  t.ok(isOn.length > 100 && changes <= 2, `${changes} changes in two days`);
});
