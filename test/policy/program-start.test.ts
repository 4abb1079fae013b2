/** When a program starts without a plan, and what it will draw: the cheapest start in time, whatever the prices and the clocks do. */
import fc from 'fast-check';
import { test } from 'tap';
import type { Image } from '../../firmware/domain/image.ts';
import type { Mode, Modes } from '../../firmware/domain/mode.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { latestStartMs, programStart } from '../../firmware/policy/program-start.ts';
import { boiler, dishwasher, HOUR, image, known, MINUTE, NOON, PROGRAM, prices, signal } from './home.ts';

/** Under way, and drawing. */
const running = (doneMs: number, patch: Parameters<typeof dishwasher>[2] = {}) =>
  dishwasher(4, doneMs, { setPoint_W: 2000, power_W: known(2000), ...patch });
const plan = (mode: Mode, id = 'dishwasher'): Modes => ({
  [id]: [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode }],
});
const CHEAP_AT_2 = prices(0.4, 0.4, 0.1, 0.1, 0.3, 0.3);

test('the slots for the page: what it will draw, step by step', async (t) => {
  const waits = decide(image({ signals: [CHEAP_AT_2], devices: [dishwasher(6)] })).devices[0]?.planned;
  const at = NOON + 2 * HOUR;
  t.same(waits, [
    { fromMs: at, untilMs: at + 30 * MINUTE, power_W: 2000 },
    { fromMs: at + 30 * MINUTE, untilMs: at + 75 * MINUTE, power_W: 100 },
    { fromMs: at + 75 * MINUTE, untilMs: at + 90 * MINUTE, power_W: 2000 },
  ]);
  const runs = decide(image({ devices: [running(80 * MINUTE)], modes: plan({ kind: 'off' }) }));
  t.same(runs.devices[0]?.planned, [{ fromMs: NOON, untilMs: NOON + 10 * MINUTE, power_W: 2000 }]);
  const slot = (hour: number, mode: Mode) => ({
    fromMs: NOON + hour * HOUR,
    untilMs: NOON + (hour + 1) * HOUR,
    mode,
  });
  const modes = {
    dishwasher: [
      slot(0, { kind: 'off' }),
      slot(1, { kind: 'run', upTo_W: 2000 }),
      slot(2, { kind: 'run', upTo_W: 2000 }),
    ],
  };
  const led = decide(image({ devices: [dishwasher(6)], modes, signals: [CHEAP_AT_2] })).devices[0]?.planned;
  t.same(
    led?.[0],
    { fromMs: NOON + HOUR, untilMs: NOON + 1.5 * HOUR, power_W: 2000 },
    'from its start by the plan',
  );
  t.same(decide(image({ devices: [dishwasher(null)] })).devices[0]?.planned, []);
  const stale = { dishwasher: [slot(-3, { kind: 'run', upTo_W: 2000 })] };
  for (const old of [modes, stale])
    t.same(decide(image({ devices: [dishwasher(null)], modes: old })).devices[0]?.planned, [], 'no run');
  const byPrice = decide(image({ devices: [dishwasher(6)], modes: stale, signals: [CHEAP_AT_2] }));
  t.equal(byPrice.devices[0]?.planned[0]?.fromMs, at, 'a plan that is over says nothing');
});

test('of a load, a plan that is over, or that no clock can read, plans nothing', async (t) => {
  const modes: Modes = {
    boiler: [{ fromMs: NOON - HOUR, untilMs: NOON, mode: { kind: 'run', upTo_W: 2000 } }],
  };
  const planned = (patch: Partial<Image>) =>
    decide(image({ devices: [boiler()], modes, ...patch })).devices[0]?.planned;
  t.same(planned({}), []);
  t.same(planned({ wallMs: NOON - 1 }), [{ fromMs: NOON - HOUR, untilMs: NOON, power_W: 2000 }]);
  t.same(planned({ wallMs: NOON - 1, wallTrusted: false }), []);
});

// ---- the start by price ----

/** Minute by minute, from the very definition. */
function costByMinutes(perKWh: readonly number[], startMs: number): number | null {
  let cost = 0;
  let at = startMs;
  for (const { forMs, power_W } of PROGRAM.steps) {
    for (let ms = 0; ms < forMs; ms += MINUTE) {
      const price = perKWh[Math.floor((at + ms - NOON) / (HOUR / 4))];
      if (price === undefined) return null;
      cost += (price * power_W) / 1000 / 60;
    }
    at += forMs;
  }
  return cost;
}

const quarters = (perKWh: readonly number[]) =>
  signal(
    'importPrice',
    perKWh.map((p, i) => ({
      fromMs: NOON + (i * HOUR) / 4,
      untilMs: NOON + ((i + 1) * HOUR) / 4,
      value: p / 1000,
    })),
  );

test('no quarter hour is cheaper, and it is done in time, for any prices', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -0.2, max: 0.8, noNaN: true }), { minLength: 6, maxLength: 96 }),
      fc.integer({ min: 0, max: 14 }),
      fc.integer({ min: 100, max: 2000 }),
      (perKWh, minute, byMinute) => {
        const now = NOON + minute * MINUTE;
        const device = dishwasher(byMinute / 60);
        const start = programStart(image({ wallMs: now, signals: [quarters(perKWh)] }), device);
        const latest = latestStartMs(device) ?? 0;
        const costNow = costByMinutes(perKWh, now);
        if (start === null) return costNow === null;
        const costs = [now, ...perKWh.map((_, i) => NOON + (i * HOUR) / 4)]
          .filter((at) => at === now || (at > now && at <= latest))
          .flatMap((at) => costByMinutes(perKWh, at) ?? []);
        const chosen = costByMinutes(perKWh, start.atMs) ?? Infinity;
        const inTime = start.atMs <= Math.max(now, latest);
        const saved = Math.abs((costNow ?? 0) - chosen - (start.startingNowCosts ?? Number.NaN));
        return inTime && chosen <= Math.min(...costs) + 0.0003 && saved < 1e-9;
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('just before a cheaper hour: it begins with that, and not a moment before at the price before', async (t) => {
  for (const beforeMs of [1, 900, 1900, 20_000]) {
    const wallMs = NOON + HOUR - beforeMs;
    const signals = [prices(0.4, 0.1, 0.1, 0.1, 0.1)];
    const now = image({ wallMs, signals, devices: [dishwasher(5)] });
    const [decided] = decide(now).devices;
    t.match(decided, { setPoint_W: 0, reasons: [{ code: 'PRICE_WAIT', values: { fromMs: NOON + HOUR } }] });
    const [then] = decide({ ...now, wallMs: NOON + HOUR + beforeMs }).devices;
    const values = { price: 0.1 / 1000 };
    t.match(then, { setPoint_W: 2000, reasons: [{ code: 'PRICE_RUN', values }] }, `${beforeMs} ms after it`);
  }
  const level = image({ wallMs: NOON + HOUR - 500, signals: [prices(0.1, 0.1, 0.1, 0.1)] });
  t.equal(programStart(level, dishwasher(4))?.atMs, level.wallMs, 'for nothing nobody waits');
});

test('equal prices: at once; and a change of the clocks moves nothing', async (t) => {
  const same = programStart(image({ signals: [prices(...new Array<number>(12).fill(0.3))] }), dishwasher(9));
  t.same([same?.atMs, same?.startingNowCosts], [NOON, 0]);
  // Berlin, the night in which 2:00 to 3:00 comes twice: the hour of 2 that is cheap is the second.
  const night = Date.UTC(2026, 9, 24, 22);
  const at = (hours: number): number => night + hours * HOUR;
  const hourly = [0.4, 0.4, 0.4, 0.1, 0.1, 0.4, 0.4, 0.4];
  const signals = [
    signal(
      'importPrice',
      hourly.map((p, i) => ({ fromMs: at(i), untilMs: at(i + 1), value: p / 1000 })),
    ),
  ];
  const device = dishwasher(null, null, { run: { byMs: at(8), doneMs: null } });
  t.equal(programStart(image({ wallMs: night, signals }), device)?.atMs, at(3));
});
