/** Batteries and heat on the page: signs of the flow, what is planned, and why, in words. */
import { test } from 'tap';
import type { Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import { wholeStretch } from '../../firmware/web/planned.ts';
import { flowOf, headline } from '../../firmware/web/power-flow.ts';
import { pricesOf } from '../../firmware/web/prices.ts';
import { pricesSchema, viewSchema } from '../../firmware/web/schema.ts';
import { reasonSentence } from '../../firmware/web/sentences.ts';
import { viewOf } from '../../firmware/web/view.ts';
import { HandClock, NOON } from './clock.ts';
import { depsOf, Home } from './home.ts';
import { batteryDevice, heatPump, withStores } from './stores.ts';

const HOUR = 3_600_000;
const START = Math.floor(NOON / 900_000) * 900_000;
const home = new Home(new HandClock());
const bare = home.snapshot();
const image = (grid_W: number | null, ...devices: Image['devices'][number][]): Image => ({
  ...bare.image,
  grid_W: { value: grid_W, ageMs: 500 },
  devices,
});
const roof = bare.image.devices.filter((d) => d.id === 'solar');

test('what the house draws is right whichever way grid, sun and battery flow', async (t) => {
  for (const [grid_W, sun, battery_W, house_W, words] of [
    [1000, false, 0, 1000, 'Your home draws from the grid.'],
    [3000, false, 2000, 1000, 'Your home draws from the grid and charges its battery.'],
    [200, false, -800, 1000, 'Battery and grid power your home together.'],
    [0, false, -900, 900, 'Your home runs on its own battery.'],
    [0, true, 1000, 1140, 'Your home runs on its own sun.'],
    [0, true, -500, 2640, 'Your home runs on its own sun and battery.'],
    [300, true, -500, 2940, 'Sun, battery and grid power your home together.'],
    [-600, true, 500, 1040, 'Your home gives power to the grid.'],
    [-600, false, -2000, 1400, 'Your battery gives power to the grid.'],
    [-600, false, 0, 0, 'Your home gives power to the grid.'],
    [4, false, 0, 4, 'Almost nothing flows to or from the grid.'],
  ] as const) {
    const flow = flowOf(image(grid_W, batteryDevice(battery_W), ...(sun ? roof : [])));
    t.match(flow, { grid_W, battery_W, house_W, solar_W: sun ? 2140 : 0, batteryFill: 0.68 });
    t.equal(headline(flow), words, `${grid_W} ${battery_W} ${sun}`);
  }
  const silent = flowOf(image(500, batteryDevice(null)));
  t.match(silent, { battery_W: null, house_W: null, other_W: null }, 'one unknown makes the sum unknown');
  const full = {
    ...batteryDevice(0),
    flexibility: { ...batteryDevice(0).flexibility, ranges: [{ min_W: -5000, max_W: 0 }] },
  };
  t.match(flowOf(image(500, full)), { hasSolar: false, house_W: 500 }, 'a full battery is no roof');
  const two = [batteryDevice(0), { ...batteryDevice(0, { capacity_Wh: 30_000, fill: 0.28 }), id: 'second' }];
  t.match(flowOf(image(0, ...two)), { batteryFill: 0.38 }, 'by what each can hold');
  t.match(flowOf(image(0, batteryDevice(0, { fill: null }))), { batteryFill: null });
  t.match(flowOf(image(0)), { hasBattery: false, batteryFill: null });
});

test('what is held, in numbers with their units and in words', async (t) => {
  const view = viewSchema.parse(viewOf(withStores(bare), depsOf(home).info));
  const [battery, floor] = view.devices;
  t.match(battery, {
    stateWords: 'Charging',
    producer: false,
    store: { kind: 'battery', fill: 0.68, leastFill: 0.2, capacity_Wh: 10_000, stored_Wh: 6800 },
  });
  t.equal(battery?.store?.sentence, '68 % full, 6.8 of 10 kWh, 20 % are kept in reserve');
  t.match(floor, { stateWords: 'Off', store: { kind: 'heat', temperature_C: 20.8, lo_C: 20, hi_C: 22 } });
  t.equal(floor?.store?.sentence, '20.8 °C in the house, you want 20 °C to 22 °C now, 3 °C outdoors');
  t.equal(floor?.reason, 'Warm enough (20.8 °C).');
  t.equal(view.devices.find((d) => d.id === 'boiler')?.store, null, 'what is not known to store anything');

  const say = (devices: Image['devices'], more: Partial<Image> = {}) =>
    viewSchema
      .parse(viewOf({ ...bare, image: { ...bare.image, ...more, devices } }, depsOf(home).info))
      .devices.map((d) => [d.stateWords, d.store?.sentence]);
  const unknown = [
    batteryDevice(-900, { fill: null, leastFill: 0 }),
    heatPump(900, { temperature_C: null, outdoor_C: null }),
  ];
  t.same(say(unknown, { wallMs: NOON + 7 * HOUR }), [
    ['Giving', 'How full it is is not known'],
    ['Heating', 'How warm it is in the house is not known, you want 18 °C to 21 °C now'],
  ]);
  t.same(say([batteryDevice(3), heatPump(0, { what: 'tank' })], { wallTrusted: false }), [
    ['Resting', '68 % full, 6.8 of 10 kWh, 20 % are kept in reserve'],
    ['Off', '20.8 °C in the tank, 3 °C outdoors'],
  ]);
});

test('the plan of a battery: when it charges and gives, and how full it will be', async (t) => {
  const { planned } = pricesSchema.parse(pricesOf(withStores(bare)));
  const [battery, floor] = planned;
  t.same(
    battery?.slots.map(({ fromMs, untilMs, action }) => [
      (fromMs - START) / HOUR,
      (untilMs - START) / HOUR,
      action,
    ]),
    [
      [2, 5, 'discharge'],
      [9, 12, 'charge'],
    ],
  );
  t.same(
    floor?.slots.map(({ fromMs, untilMs, action }) => [
      (fromMs - START) / HOUR,
      (untilMs - START) / HOUR,
      action,
    ]),
    [[9, 12, 'heat']],
  );
  t.match(battery, { of: 'fill', least: 0.2 });
  t.match(floor, { of: 'temperature_C', least: 20 });
  const [now, next] = battery?.course ?? [];
  t.same(now, { atMs: NOON, value: 0.68 }, 'it begins with what is');
  t.equal(next?.atMs, START + 900_000, 'and goes on with the end of the quarter hour that runs');
  const empty = battery?.course.find(({ atMs }) => atMs === START + 5 * HOUR)?.value ?? Number.NaN;
  t.ok(Math.abs(empty - (0.68 + (2 * 900 - 3 * 1800) * 0.000095)) < 1e-9, `given until then: ${empty}`);
  t.equal(battery?.course.at(-1)?.atMs, START + 24 * HOUR);

  const of = (...given: Parameters<typeof withStores>) =>
    pricesOf(withStores(...given)).planned.find((p) => p.id === 'battery')?.course;
  const timed = withStores(bare);
  const courseMs = [START, START + 300_000, NOON + 60_000, NOON + 960_000];
  const course = { battery: [0.1, 0.2, 0.3, 0.4, 0.5] };
  const exact = { ...timed, plan: timed.plan ? { ...timed.plan, courseMs, course } : null };
  t.same(
    pricesOf(exact).planned.find((p) => p.id === 'battery')?.course,
    [
      { atMs: NOON, value: 0.68 },
      { atMs: NOON + 60_000, value: 0.3 },
      { atMs: NOON + 960_000, value: 0.4 },
    ],
    'at the times that the plan names; what has none is not drawn',
  );
  t.same(of(bare, 0, null), [], 'of an unknown fill no course is drawn');
  t.same(of({ ...bare, plan: null }), undefined, 'without a plan nothing of it is said');
});

test('why: each mode, and the value of the other choice', async (t) => {
  const place = { nowMs: NOON, timeZone: 'Europe/Brussels', currency: 'EUR' };
  const say = (values: Record<string, string | number | null>) =>
    reasonSentence({ code: 'PLANNED', values: { untilMs: NOON + HOUR, ...values } }, place);
  for (const [values, words] of [
    [
      { mode: 'selfConsume', fill: 0.5 },
      'Stores spare sun and covers what the house uses, as planned until 18:20.',
    ],
    [
      { mode: 'selfConsume', fill: 0.54, dischargeUpTo_W: 0, startingNowCosts: 0.84 },
      'Stores spare sun, and keeps what it holds (54 %) for later as planned until 18:20. Charging now would cost 0.84 EUR more.',
    ],
    [
      { mode: 'selfConsume', fill: 0.54, dischargeUpTo_W: 0, chargeUpTo_W: 0 },
      'Keeps what it holds (54 %) for later as planned until 18:20.',
    ],
    [
      { mode: 'selfConsume', fill: 0.5, chargeUpTo_W: 0 },
      'Covers what the house uses, and charges later, as planned until 18:20.',
    ],
    [{ mode: 'hold', fill: 0.5 }, 'Keeps what it holds (50 %) for later as planned until 18:20.'],
    [{ mode: 'hold', fill: null }, 'Keeps what it holds for later as planned until 18:20.'],
    [
      { mode: 'charge', fill: 0.2, price: 0.000213, waitingCosts: 0.3 },
      'Charges, also from the grid, as planned (now 20 % full) until 18:20 (power costs 21.3 ct/kWh). Charging later would cost 0.30 EUR more.',
    ],
    [
      { mode: 'discharge', fill: 0.9, waitingCosts: 1.2 },
      'Gives what it holds to house and grid as planned (now 90 % full) until 18:20. Keeping it would cost 1.20 EUR more.',
    ],
    [{ mode: 'charge' }, 'Runs as planned until 18:20.'],
    [
      { mode: 'selfConsume', fromMs: NOON, untilMs: NOON },
      'Stores spare sun and covers what the house uses.',
    ],
    [
      { mode: 'off', startingNowCosts: 0.84, byMs: NOON + 14 * HOUR, price: 0.000266 },
      'Waits as planned until 18:20, to be ready by tomorrow 07:20 (power costs 26.6 ct/kWh). Starting now would cost 0.84 EUR more.',
    ],
    [{ mode: 'run', waitingCosts: 0.001 }, 'Runs as planned until 18:20.'],
    [
      { mode: 'heat', level: 'boost', temperature_C: 20.84 },
      'Heats ahead as planned (now 20.8 °C) until 18:20.',
    ],
    [{ mode: 'heat' }, 'Heats as planned until 18:20.'],
    [{ mode: 'toString' }, 'Runs as planned until 18:20.'],
  ] as const)
    t.equal(say(values), words);
  const begun = { mode: 'off', fromMs: NOON - 60_000 };
  t.equal(say(begun), 'Waits as planned until 18:20.');
  t.match(say({ ...begun, fromMs: NOON + 60_000 }), /^Waits as planned from 17:21 until/);
  const cold = { code: 'TOO_COLD', values: { temperature_C: 18.5, lo_C: 20 } } as const;
  t.equal(reasonSentence(cold, place), 'Heats: 18.5 °C is below the 20.0 °C you asked for.');
});

test('of a plan in quarter hours the owner hears until when the same goes on', async (t) => {
  const quarter = (n: number) => NOON + n * 900_000;
  const modes = (...all: Mode[]) =>
    all.map((mode, n) => ({ fromMs: quarter(n), untilMs: quarter(n + 1), mode }));
  const until = (n: number, ...all: Mode[]): unknown => {
    const values = { mode: all[n]?.kind ?? null, fromMs: quarter(n), untilMs: quarter(n + 1) };
    const { untilMs } = wholeStretch({ code: 'PLANNED', values }, modes(...all)).values;
    return (Number(untilMs) - NOON) / 900_000;
  };
  const [own, keep] = [{ kind: 'selfConsume' }, { kind: 'selfConsume', dischargeUpTo_W: 0 }] as const;
  const [low, high] = [
    { kind: 'heat', level: 'reduced' },
    { kind: 'heat', level: 'boost' },
  ] as const;
  t.equal(until(0, own, own, keep, own), 2);
  t.equal(until(1, own, keep, keep), 3, 'to the end of the plan');
  t.equal(until(0, { kind: 'charge', upTo_W: 100 }, { kind: 'charge', upTo_W: 900 }, own), 2);
  t.equal(until(0, low, low, high), 2);
  const fine = [0, 5, 10, 15, 30].map((minute, i, all) => ({
    ...{ fromMs: NOON + minute * 60_000, untilMs: NOON + (all[i + 1] ?? 45) * 60_000, mode: low },
  }));
  const short = { mode: 'heat', fromMs: NOON + 300_000, untilMs: NOON + 600_000 };
  const end = (slots: typeof fine): unknown =>
    wholeStretch({ code: 'PLANNED', values: short }, slots).values.untilMs;
  t.equal(end(fine), NOON + 45 * 60_000, 'slots of five minutes and of fifteen alike');
  t.equal(end(fine.toSpliced(3, 1)), NOON + 15 * 60_000, 'up to a gap');
  const values = { mode: 'selfConsume', fill: 0.5, fromMs: quarter(0), untilMs: quarter(1) };
  const told = wholeStretch({ code: 'PLANNED', values }, modes(keep, keep));
  t.match(told.values, { dischargeUpTo_W: 0 }, 'what it may not do tells what it is for');
  const other = { code: 'GRID_LIMIT', values } as const;
  t.equal(wholeStretch(other, modes(keep, keep)), other);
  t.equal(wholeStretch(told, []), told, 'a plan that has gone on without it');
});
