/** What a plan knows of the house that it is made for: limits, its own devices, peaks and phases. */
import { test } from 'tap';
import { ok } from '../../firmware/domain/errors.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import { LOWEST_PRIORITY, type Signal } from '../../firmware/domain/signal.ts';
import type { SeriesRow } from '../../firmware/domain/storage.ts';
import { activeLimits } from '../../firmware/policy/active-limits.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { houseForecasts } from '../../firmware/policy/forecast/house.ts';
import { QUARTER_MS } from '../../firmware/policy/forecast/series.ts';
import { horizonOf } from '../../firmware/policy/planner/house-grid.ts';
import { limitsOf } from '../../firmware/policy/planner/house-limits.ts';
import { beginMs } from '../../firmware/policy/planner/house-slots.ts';
import { planHouse } from '../../firmware/policy/planner/plan-house.ts';
import type { PlanTask } from '../../firmware/policy/planner/planner.ts';
import { limitAt } from '../../firmware/policy/planner/scenario.ts';
import {
  battery,
  boiler,
  dishwasher,
  HOUR,
  image,
  known,
  MINUTE,
  NOON,
  prices,
  SITE,
  signal,
  tank,
  wallbox,
} from './home.ts';
import { follow, modeAt, planned, pointOf, SLOT } from './planned.ts';

const TWO_DAYS = prices(...new Array<number>(48).fill(0.2));
const EQUAL = prices(...new Array<number>(12).fill(0.2));
const car = (energy_Wh: number, byHours: number) =>
  wallbox({
    mode: 'cheap',
    flexibility: {
      need: { energy_Wh, byMs: NOON + byHours * HOUR },
      ranges: [
        { min_W: 0, max_W: 0 },
        { min_W: 1380, max_W: 7360 },
      ],
      worstCase_W: 7360,
    },
  });
const between = (from: number, until: number, value: number | null): Signal['intervals'] => [
  { fromMs: NOON + from * HOUR, untilMs: NOON + until * HOUR, value },
];

test('the plan keeps the limit that will be in force, not every one that is known', async (t) => {
  const subscription = signal('importLimit', between(-10, 1000, 1200), { priority: LOWEST_PRIORITY });
  const weak = signal('importLimit', between(-1, 12, 0), { priority: 5 });
  const lift = signal('importLimit', between(-1, 2, null), { priority: 0 });
  const asked = signal('setPoint', between(0, 6, 1500), { binding: 'commandable' });
  const cases: [string, Signal[], hours: number[], codes: string[]][] = [
    [
      'an envelope outranks',
      [subscription, signal('importLimit', between(-1, 12, 10_000))],
      [7360, 7360, 0],
      ['PLANNED'],
    ],
    [
      'another source does not',
      [subscription, signal('importLimit', between(-1, 12, 10_000), { source: 'Market' })],
      [0, 0, 0],
      ['PLANNED'],
    ],
    ['lifted for two hours', [weak, lift], [7360, 7360, 0], ['PLAN_INFEASIBLE']],
    ['lifted by another source', [weak, { ...lift, source: 'Market' }], [0, 0, 0], ['PLAN_INFEASIBLE']],
    ['a set-point', [asked], [0, 0, 0], ['PLANNED']],
    ['an informational one', [{ ...asked, binding: 'informational' }], [7360, 7360, 0], ['PLANNED']],
  ];
  for (const [name, signals, hours, codes] of cases) {
    const house = image({ devices: [car(14_000, 6)], signals: [EQUAL, ...signals] });
    const { planner, plan, journal } = await planned(house);
    const charged = [0, 1, 2].map((hour) => {
      const mode = modeAt(plan, 'wallbox', hour);
      return mode?.kind === 'charge' ? mode.upTo_W : 0;
    });
    t.same(charged, hours, name);
    t.same(
      journal.map((e) => e.code),
      codes,
      name,
    );
    t.equal(pointOf(follow(house, planner), 'wallbox'), hours[0], `${name}: carried out`);
  }
});

test('a limit that is withdrawn, or changed, is planned without at once, though newer signals are known', async (t) => {
  const limit = signal('importLimit', between(-1, 12, 0), { modifiedMs: NOON - HOUR });
  const newer = { ...EQUAL, modifiedMs: NOON };
  let house = image({ devices: [car(14_000, 6)], signals: [newer, limit] });
  const { planner } = await planned(house, { image: () => house });
  t.equal(pointOf(follow(house, planner), 'wallbox'), 0);
  const changed = { ...limit, intervals: between(-1, 12, 5000), modifiedMs: NOON - 0.5 * HOUR };
  house = { ...house, signals: [newer, changed] };
  await planner.look();
  t.equal(pointOf(follow(house, planner), 'wallbox'), 4370, 'within its 5 kW');
  house = { ...house, signals: [newer, { ...changed, intervals: between(-1, 0, 5000), cancelledMs: NOON }] };
  await planner.look();
  t.equal(pointOf(follow(house, planner), 'wallbox'), 7360);
});

test('in every slot the plan has the limits that the rules will have', async (t) => {
  let seed = 4;
  const next = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  const any = (): Signal => {
    const fromMs = NOON + (next(80) - 20) * 15 * MINUTE;
    const intervals = Array.from({ length: 1 + next(4) }, (_, i) => ({
      fromMs: fromMs + i * HOUR,
      untilMs: fromMs + (i + 1) * HOUR,
      value: next(4) === 0 ? null : next(9) * 1000,
    }));
    return signal(
      (['importLimit', 'exportLimit', 'setPoint'] as const)[next(3)] ?? 'importLimit',
      intervals,
      {
        binding: 'commandable',
        priority: next(3),
        source: ['Grid operator', 'Market'][next(2)] ?? '',
        scope: next(4) === 0 ? 'controllable' : 'site',
        ...(next(3) === 0 && { restore: { delayMs: next(4) * 15 * MINUTE, rampMs: next(4) * 30 * MINUTE } }),
      },
    );
  };
  const kindOf = {
    import: { site: 'import_limit', controllable: 'steerable_limit' },
    export: { site: 'export_limit', controllable: 'export_limit' },
  };
  let seen = 0;
  for (let run = 0; run < 60; run++) {
    const house = image({ signals: [TWO_DAYS, ...Array.from({ length: 1 + next(6) }, any)] });
    const slots = horizonOf(house);
    const events = limitsOf(house, slots);
    for (let slot = 0; slot < slots.n; slot++) {
      const expected: Record<string, number> = {};
      // All begin and end with a quarter hour, and what is given up slowly is tightest first.
      for (const { direction, scope, limit_W } of activeLimits({ ...house, wallMs: beginMs(slots, slot) })) {
        const kind = kindOf[direction][scope];
        expected[kind] = Math.min(expected[kind] ?? Infinity, limit_W / 1000);
      }
      const had = events.flatMap((e) => (limitAt(e, slot) === null ? [] : [[e.kind, limitAt(e, slot)]]));
      seen += had.length;
      if (JSON.stringify(Object.entries(expected).sort()) !== JSON.stringify(had.sort()))
        t.same(had, Object.entries(expected), `run ${run}, slot ${slot}`);
    }
  }
  t.ok(seen > 1000, `${seen} limits`);
});

test('an envelope that changes every five minutes for two days is known to its end', async (t) => {
  const envelope = signal(
    'importLimit',
    Array.from({ length: 576 }, (_, i) => ({
      fromMs: NOON + i * 5 * MINUTE,
      untilMs: NOON + (i + 1) * 5 * MINUTE,
      value: 1000 + 10 * i,
    })),
  );
  const house = image({ signals: [TWO_DAYS, envelope] });
  const slots = horizonOf(house);
  const [event, ...others] = limitsOf(house, slots);
  t.same(others, [], 'one');
  t.same([event?.start, event?.end], [0, slots.n]);
  t.equal(event && limitAt(event, 11), 1.11);
  t.equal(event && limitAt(event, slots.n - 1), 1 + 0.01 * 573, 'the tightest of its quarter hour');
  t.same(
    decide(house).limits.map((l) => l.limit_W),
    [1000],
  );
});

const row = (atMs: number, value: number): SeriesRow => ({
  atMs,
  value,
  min: value,
  max: value,
  quality: 'good',
});

/** Four weeks in which the house drew 300 W all day, and this device 2 kW from 0 to 3 UTC besides. */
const nightly = (id: string) => ({
  read: (point: string, _resolution: unknown, fromMs: number, untilMs: number) => {
    const rows: SeriesRow[] = [];
    for (
      let atMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
      atMs < Math.min(untilMs, NOON);
      atMs += QUARTER_MS
    ) {
      const own_W = new Date(atMs).getUTCHours() < 3 ? 2000 : 0;
      if (point === `${id}/activePower`) rows.push(row(atMs, own_W));
      if (point === 'grid/activePower') rows.push(row(atMs, 300 + own_W));
    }
    return rows;
  },
});

/** Expected of the house without what is planned, W: this afternoon, and at 2 in the night. */
async function expectedBeside(device: DeviceImage): Promise<number[]> {
  const tasks: PlanTask[] = [];
  const house = image({
    devices: [battery({}, { id: 'another' }), device],
    signals: [TWO_DAYS],
  });
  await planned(house, {
    series: nightly(device.id),
    make: async (task) => {
      tasks.push(task);
      return ok(await planHouse(task, null));
    },
  });
  const task = tasks[0];
  const mean = task ? houseForecasts(task.known, task.horizon).load.mean : [];
  return [4, 15].map((hours) => Math.round((mean[hours * 4] ?? 0) / 100) * 100);
}

test('the base load is the same whoever is planned just now; what nobody holds back goes on as it did', async (t) => {
  const relay = { ranges: [0, 2000].map((p) => ({ min_W: p, max_W: p })) };
  const led: [string, DeviceImage][] = [
    ['a car that wants something', car(8000, 20)],
    ['one that has had it', car(0, 20)],
    ['one that waits for the sun', { ...car(8000, 20), mode: 'solar' }],
    ['one that is silent', { ...car(8000, 20), health: 'silent' }],
    ['one that its owner has begun', { ...car(8000, 20), override: { kind: 'now', untilMs: null } }],
    ['a boiler that is off', boiler({ override: { kind: 'off' } })],
    ['a dishwasher that nobody asked to run', dishwasher(null)],
    ['a tank', tank()],
    ['a battery that its owner leads', battery({}, { mode: 'always' })],
  ];
  for (const [name, device] of led) t.same(await expectedBeside(device), [300, 300], name);
  const released: [string, DeviceImage][] = [
    ['a boiler that is always on', boiler()],
    ['a car that may always charge', { ...car(8000, 20), mode: 'always' }],
    ['a boiler of which no need is known', boiler({ mode: 'cheap', flexibility: relay })],
    ['a tank that only its own thermostat knows', tank({ temperature_C: null })],
  ];
  for (const [name, device] of released) t.same(await expectedBeside(device), [300, 2300], name);
});

const PEAK_SITE = { ...SITE, peak: { price_perW: 4e-3, free_W: 2500 } };
const EVEN = prices(...new Array<number>(12).fill(0.3));
/** What the first device draws when the rest of the house draws so much, minutes after the plan was made. */
function beside(base_W: number, devices: readonly DeviceImage[], minutes = 2) {
  const drawn_W = devices.reduce((sum, d) => sum + (d.power_W.value ?? 0), 0);
  return image({
    site: PEAK_SITE,
    wallMs: NOON + minutes * MINUTE,
    grid_W: known(base_W + drawn_W),
    devices,
  });
}
const charging = (power_W: number, energy_Wh: number, patch: Partial<DeviceImage> = {}): DeviceImage =>
  wallbox({
    mode: 'cheap',
    setPoint_W: power_W,
    power_W: known(power_W),
    flexibility: { need: { energy_Wh, byMs: NOON + 9 * HOUR } },
    ...patch,
  });

test('a load that can wait gives way before a peak is billed, and goes on when there is room', async (t) => {
  const house = image({
    site: PEAK_SITE,
    grid_W: known(400),
    devices: [charging(0, 14_000)],
    signals: [EVEN],
  });
  const { planner } = await planned(house);
  const decided = (now: Image) => decide(follow({ ...now, signals: [EVEN] }, planner)).devices[0];
  t.match(decided(house), { setPoint_W: 2070, reasons: [{ code: 'PLANNED' }] }, 'as planned');
  t.match(
    decided(beside(4400, [charging(2070, 13_900)])),
    { setPoint_W: 0, reasons: [{ code: 'PEAK', values: { importUpTo_W: 2500, goingOnCosts: 8.28 } }] },
    'the oven is on',
  );
  t.match(decided(beside(1000, [charging(2070, 13_900)])), { setPoint_W: 1380, reasons: [{ code: 'PEAK' }] });
  t.equal(decided(beside(500, [charging(2070, 13_900)]))?.setPoint_W, 1840, 'by its steps');
  t.equal(decided(beside(1200, [charging(1380, 13_900)]))?.setPoint_W, 1380, 'not off for 80 W');
  t.equal(decided(beside(1200, [charging(0, 13_900)]))?.setPoint_W, 0, 'and not on');
  const just = decided(beside(400, [charging(0, 13_900, { sinceLoweredMs: 20_000 })]));
  t.match(just, { setPoint_W: 0, reasons: [{ code: 'SETTLING' }] }, 'the oven is off for a moment');
  const on = decided(beside(400, [charging(0, 13_900, { sinceLoweredMs: 61_000 })]));
  t.match(on, { setPoint_W: 2070, reasons: [{ code: 'PLANNED' }] }, 'the oven is off');
  const rests = decided(beside(400, [charging(0, 13_900, { sinceLoweredMs: 61_000, inStateMs: 61_000 })]));
  t.match(rests, { setPoint_W: 0, reasons: [{ code: 'MINIMUM_OFF', values: { leftMs: 239_000 } }] });
  const late = { need: { energy_Wh: 14_000, byMs: NOON + 4.7 * HOUR } };
  const pressed = { ...charging(2070, 0), flexibility: { ...charging(0, 0).flexibility, ...late } };
  t.equal(decided(beside(4400, [pressed]))?.setPoint_W, 2070, 'its deadline is at stake');
  const heldOn = { ...charging(2070, 13_900).flexibility, minOnMs: 600_000 };
  const held = decided(beside(4400, [charging(2070, 13_900, { inStateMs: 60_000, flexibility: heldOn })]));
  t.equal(held?.setPoint_W, 1380, 'its minimum time holds');
  const { peak: _, ...free } = PEAK_SITE;
  const unbilled = await planned({ ...house, site: free });
  const oven = { ...beside(4400, [charging(3680, 13_900)]), site: free };
  t.equal(pointOf(follow(oven, unbilled.planner), 'wallbox'), 3680, 'no peak is billed');
});

test('who gives way to whom below a peak', async (t) => {
  const oven = (devices: readonly DeviceImage[], modes: Image['modes']): (number | undefined)[] => {
    const now = { ...beside(4400, devices), ...(modes && { modes }) };
    return devices.map((d) => pointOf(now, d.id));
  };
  const slot = (mode: Mode) => [{ ...SLOT, mode, importUpTo_W: 2500 }];
  const charge = slot({ kind: 'charge', upTo_W: 2070 });
  const given = (mode: Mode): number | undefined =>
    oven([charging(2070, 13_900), battery({}, { setPoint_W: 0 })], {
      wallbox: charge,
      battery: slot(mode),
    })[0];
  t.equal(given({ kind: 'selfConsume' }), 2070, 'a battery that is meant to give carries it');
  t.equal(given({ kind: 'discharge', target_W: 4000 }), 2070);
  t.equal(given({ kind: 'selfConsume', dischargeUpTo_W: 0 }), 0, 'one that keeps its energy does not');
  t.equal(given({ kind: 'hold' }), 0);
  const heat = slot({ kind: 'heat', level: 'normal' });
  const warm = (temperature_C: number) => tank({ temperature_C }, { setPoint_W: 2000, power_W: known(2000) });
  t.same(oven([warm(50)], { tank: heat }), [0], 'warm enough to wait');
  t.same(oven([warm(44)], { tank: heat }), [2000], 'too cold to wait');
  const run = slot({ kind: 'run', upTo_W: 2000 });
  t.same(oven([dishwasher(6)], { dishwasher: run }), [0], 'it begins later');
  t.same(
    oven([dishwasher(6, 60_000, { setPoint_W: 2000, power_W: known(2000) })], { dishwasher: run }),
    [2000],
  );
  const urgent = boiler({
    mode: 'cheap',
    priority: 9,
    setPoint_W: 2000,
    power_W: known(2000),
    flexibility: { need: { energy_Wh: 1000, byMs: NOON + 50 * MINUTE } },
  });
  const both = {
    ...beside(300, [charging(2070, 13_900), urgent]),
    modes: { wallbox: charge, boiler: charge },
  };
  t.same(
    ['wallbox', 'boiler'].map((id) => pointOf(both, id)),
    [0, 2000],
    'who can wait, whatever its priority',
  );
  const stale = {
    ...beside(4400, [charging(2070, 13_900)]),
    grid_W: known(null),
    modes: { wallbox: charge },
  };
  t.equal(pointOf(stale, 'wallbox'), 2070, 'without the meter as planned');
});

test('an oven that switches all the time does not have a load switch with it', async (t) => {
  const relay = boiler({ mode: 'cheap', flexibility: { need: { energy_Wh: 9000, byMs: NOON + 9 * HOUR } } });
  const modes = {
    boiler: [{ ...SLOT, mode: { kind: 'charge', upTo_W: 2000 } as const, importUpTo_W: 2500 }],
  };
  let [power_W, switched, changedMs, loweredMs] = [2000, 0, -HOUR, -HOUR];
  let dearest_W = 0;
  for (let s = 0; s < 1800; s += 5) {
    // Fridge and oven: 50 W every ten minutes; 4 kW for half a minute in every minute, from the tenth on.
    const base_W = 400 + (s % 1200 < 600 ? 100 : 0) + (s >= 600 && s % 60 < 30 ? 4000 : 0);
    const device = {
      ...{ ...relay, setPoint_W: power_W, power_W: known(power_W) },
      ...{ inStateMs: s * 1000 - changedMs, sinceLoweredMs: s * 1000 - loweredMs },
    };
    const told_W = pointOf({ ...beside(base_W, [device], s / 60), modes }, 'boiler') ?? 0;
    if (told_W !== power_W) {
      switched += 1;
      changedMs = s * 1000;
      if (told_W < power_W) loweredMs = changedMs;
    }
    power_W = told_W;
    dearest_W = Math.max(dearest_W, power_W + base_W);
  }
  t.equal(dearest_W, 4500, 'never beside the oven');
  t.ok(switched > 2 && switched <= 9, `${switched} times in twenty minutes`);
});

test('two on one phase are not planned beyond its fuse', async (t) => {
  const cheap = prices(0.3, 0.05, 0.3, 0.3);
  const need = (energy_Wh: number) => ({ need: { energy_Wh, byMs: NOON + 4 * HOUR } });
  const site = { ...SITE, fuse_A: 16 };
  const home = (phase: 2 | 3, patch: Partial<Image> = {}): Image =>
    image({
      ...{ site, grid_W: known(300), signals: [cheap] },
      devices: [
        wallbox({ mode: 'cheap', flexibility: need(3600) }),
        boiler({ mode: 'cheap', flexibility: { ...need(2000), phases: [phase] } }),
      ],
      ...patch,
    });
  const inCheapHour = async (house: Image): Promise<number> => {
    const { plan } = await planned(house);
    const sums = [65, 80, 95, 110].map((minutes) =>
      house.devices.reduce((sum, { id }) => {
        const mode = modeAt(plan, id, minutes / 60);
        return sum + (mode?.kind === 'charge' ? mode.upTo_W : 0);
      }, 0),
    );
    return Math.max(...sums);
  };
  t.equal(await inCheapHour(home(2)), 3450, '3680 W less a third of 300 W, by the steps of the car');
  t.equal(await inCheapHour(home(3)), 3450 + 2000, 'on two phases both');
  t.equal(await inCheapHour(home(2, { site: { ...site, fuse_A: 35 } })), 5680, 'a larger fuse');
  const single = { ...site, phases: 1 as const };
  t.ok((await inCheapHour(home(2, { site: single }))) <= 3680 - 300, 'one phase has the whole base load');
  const { planner, plan } = await planned(home(2));
  for (const slot of plan?.modes.wallbox ?? []) {
    const house = { ...home(2), wallMs: slot.fromMs };
    const codes = decide(follow(house, planner)).devices.flatMap((d) => d.reasons.map((r) => r.code));
    t.notOk(codes.includes('HOUSE_FUSE'), 'and so the rules need not hold any back');
  }
});
