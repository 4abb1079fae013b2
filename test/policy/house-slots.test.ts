/** The slots of a house: five minutes for the next hour, and what plans make of prices, limits and loads in them. */
import { test } from 'tap';
import type { Signal } from '../../firmware/domain/signal.ts';
import { houseScenario } from '../../firmware/policy/planner/house.ts';
import { horizonOf, slotPrices } from '../../firmware/policy/planner/house-grid.ts';
import { endMs, quartersOf, slotsNow, timesOf } from '../../firmware/policy/planner/house-slots.ts';
import { laterSchedule } from '../../firmware/policy/planner/last-plan.ts';
import { battery, HOUR, image, known, MINUTE, NOON, prices, signal, tank, wallbox } from './home.ts';
import { NOTHING, standIn as planHere, planned } from './planned.ts';

const flat = (n: number, x: number): number[] => new Array<number>(n).fill(x);

test('a house is planned in five minutes for an hour, then by the quarter, as far as prices are known', async (t) => {
  const rows: readonly [minutes: number, fine: number, now: number, from: number][] = [
    [0, 12, 3, 0],
    [4.9, 12, 3, 0],
    [5, 14, 2, 5],
    [12, 13, 1, 10],
    [15, 12, 3, 15],
  ];
  for (const [minutes, fine, now, from] of rows) {
    const slots = horizonOf(
      image({ wallMs: NOON + minutes * MINUTE, signals: [prices(0.1, 0.2, 0.3, 0.4)] }),
    );
    t.equal(slots.fromMs, NOON + from * MINUTE);
    t.same(slots.spans.slice(0, fine + 1), [...flat(fine, 1), 3], `${minutes} minutes past`);
    t.ok(
      slots.spans.slice(fine).every((x) => x === 3),
      'quarter hours after it',
    );
    t.equal(endMs(slots), NOON + 4 * HOUR);
    t.equal(slotsNow(slots), now);
    t.ok(timesOf(slots).every((atMs, i) => i < fine || atMs % (15 * MINUTE) === 0));
    t.equal(new Set(quartersOf(slots)).size, 16 - Math.floor(minutes / 15));
  }
  t.equal(horizonOf(image({ signals: [] })).n, 0);
  const gap = (minutes: number) => [
    { fromMs: NOON, untilMs: NOON + 70 * MINUTE, value: 1e-4 },
    { fromMs: NOON + (70 + minutes) * MINUTE, untilMs: NOON + 6 * HOUR, value: 3e-4 },
  ];
  const withGap = (minutes: number) => image({ signals: [signal('importPrice', gap(minutes))] });
  t.equal(endMs(horizonOf(withGap(181))), NOON + 60 * MINUTE, 'a long gap ends it');
  const bridged = horizonOf(withGap(65));
  t.equal(endMs(bridged), NOON + 6 * HOUR);
  const price = slotPrices(withGap(65), 'importPrice', bridged);
  t.same(
    [0, 12, 13, 14].map((t) => price[t]?.toFixed(3)),
    ['0.100', '0.167', '0.300', '0.300'],
    'the dearer of its neighbours',
  );
});

test('prices that change every five minutes are taken by the five minutes, later by their mean', async (t) => {
  // Dear, and cheap in one of three.
  const told = Array.from({ length: 48 }, (_, i) => ({
    fromMs: NOON + i * 5 * MINUTE,
    untilMs: NOON + (i + 1) * 5 * MINUTE,
    value: (i % 3 === 1 ? 0.1 : 0.4) / 1000,
  }));
  const house = image({
    grid_W: known(0),
    devices: [
      wallbox({
        mode: 'cheap',
        flexibility: {
          ranges: [0, 3600].map((p) => ({ min_W: p, max_W: p })),
          need: { energy_Wh: 1200, byMs: NOON + HOUR },
        },
      }),
    ],
    signals: [signal('importPrice', told)],
  });
  const { plan } = await planned(house);
  const runs = (plan?.modes.wallbox ?? []).filter((x) => x.mode.kind === 'charge');
  t.same(
    runs.map((x) => (x.fromMs - NOON) / MINUTE),
    [5, 20, 35, 50],
  );
  t.equal(plan?.certificate.cost.toFixed(3), '0.120');
  t.equal(plan?.bill.toFixed(3), '0.120', 'all of it is energy');
  const odd = signal('importPrice', [
    { fromMs: NOON, untilMs: NOON + 2 * MINUTE, value: 0.1e-3 },
    { fromMs: NOON + 2 * MINUTE, untilMs: NOON + 2 * HOUR, value: 0.4e-3 },
  ]);
  const first = houseScenario({ ...house, signals: [odd] })?.prices.import[0] ?? 0;
  t.ok(Math.abs(first - 0.4) < 1e-3, `${first}: what holds in the middle`);
});

test('heat is not switched for less than a quarter hour, however prices jump', async (t) => {
  const told = Array.from({ length: 72 }, (_, i) => ({
    fromMs: NOON + i * 5 * MINUTE,
    untilMs: NOON + (i + 1) * 5 * MINUTE,
    value: (i % 2 === 1 ? 0.05 : 0.5) / 1000,
  }));
  const house = image({
    grid_W: known(300),
    devices: [tank({ temperature_C: 47.5 })],
    signals: [signal('importPrice', told)],
  });
  const { plan } = await planned(house);
  const isOn = (plan?.modes.tank ?? []).map(({ mode }) => mode.kind === 'heat' && mode.level !== 'off');
  t.ok(isOn.includes(true) && isOn.includes(false), 'there is something to decide');
  const starts = isOn.flatMap((on, i) => (i > 0 && on !== isOn[i - 1] ? [i] : []));
  const times = starts.map((i) => plan?.modes.tank?.[i]?.fromMs ?? Number.NaN);
  t.ok(
    times.every((atMs, i) => i === 0 || atMs - (times[i - 1] ?? 0) >= 15 * MINUTE),
    times.map((atMs) => (atMs - NOON) / MINUTE).join(' '),
  );
});

test('where quarter hours are billed, what wants energy by a time is not switched to come to less', async (t) => {
  const boiler = wallbox({
    mode: 'cheap',
    flexibility: {
      ranges: [0, 3600].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 3300, byMs: NOON + 2 * HOUR },
    },
  });
  for (const minutes of [0, 5, 10]) {
    const house = image({
      wallMs: NOON + minutes * MINUTE,
      grid_W: known(300),
      devices: [boiler],
      signals: [prices(0.3, 0.3)],
      site: { ...image().site, peak: { price_perW: 0.01, free_W: 2500 } },
    });
    const { plan } = await planned(house);
    const isOn = (atMs: number): boolean =>
      plan?.modes.wallbox?.findLast((x) => x.fromMs <= atMs)?.mode.kind === 'charge';
    const changes = (plan?.modes.wallbox ?? []).filter(
      ({ fromMs }) => fromMs > house.wallMs && isOn(fromMs) !== isOn(fromMs - 1),
    );
    t.same(
      changes.map(({ fromMs }) => ((fromMs - NOON) / MINUTE) % 15).filter((x) => x !== 0),
      [],
      `${minutes} minutes past`,
    );
    t.ok(changes.length > 0);
  }
});

test('a limit that ends, and a car that leaves, between the quarters', async (t) => {
  const limit = {
    ...signal('importLimit', [{ fromMs: NOON, untilMs: NOON + 20 * MINUTE, value: 0 }]),
    binding: 'commandable' as const,
  };
  const car = wallbox({
    mode: 'cheap',
    flexibility: {
      ranges: [0, 3600].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 1800, byMs: NOON + 52 * MINUTE },
    },
  });
  const house = image({ grid_W: known(0), devices: [car], signals: [prices(0.3, 0.3), limit] });
  const { plan } = await planned(house);
  const runs = (plan?.modes.wallbox ?? []).filter((x) => x.mode.kind === 'charge');
  t.equal(runs[0]?.fromMs, NOON + 20 * MINUTE, 'right after the limit');
  t.equal(runs.at(-1)?.untilMs, NOON + 50 * MINUTE, 'done before it leaves');
  t.equal(runs.length, 6, 'half an hour');
  const first = async (patch: Partial<Signal>, wallMs = NOON): Promise<number> => {
    const signals = [prices(0.3, 0.3), { ...limit, ...patch }];
    const made = (await planned({ ...house, wallMs, signals })).plan?.modes.wallbox ?? [];
    return ((made.find((x) => x.mode.kind === 'charge')?.fromMs ?? Number.NaN) - NOON) / MINUTE;
  };
  const until = (minutes: number) => [{ fromMs: NOON, untilMs: NOON + minutes * MINUTE, value: 0 }];
  t.equal(await first({ intervals: until(21) }), 25, 'none of it is planned over');
  t.equal(await first({ intervals: until(1) }, NOON + 2 * MINUTE), 0, 'what is over is over');
  t.equal(
    await first({ intervals: [{ fromMs: NOON + 12 * MINUTE, untilMs: NOON + 16 * MINUTE, value: 0 }] }),
    0,
  );
});

test('a car that comes home later is planned from then on, and says nothing of starting now', async (t) => {
  const car = (fromMs: number) =>
    wallbox({
      mode: 'cheap',
      flexibility: {
        ranges: [0, 3600].map((p) => ({ min_W: p, max_W: p })),
        need: { energy_Wh: 1800, byMs: NOON + 5 * HOUR, fromMs },
      },
    });
  const first = async (minutes: number): Promise<readonly [number, boolean]> => {
    const house = image({
      grid_W: known(0),
      devices: [car(NOON + minutes * MINUTE)],
      signals: [prices(0.1, 0.2, 0.3, 0.4, 0.5)],
    });
    const modes = (await planned(house)).plan?.modes.wallbox ?? [];
    const begin = modes.find((x) => x.mode.kind === 'charge');
    return [((begin?.fromMs ?? Number.NaN) - NOON) / MINUTE, (modes[0]?.startingNowCosts ?? null) === null];
  };
  t.same(await first(-60), [0, true], 'it is there: now is the cheapest');
  t.same(await first(20), [20, true]);
  t.same(await first(21), [25, true], 'the first five minutes that it is there for');
  t.same(await first(121), [135, true], 'the first quarter hour');
});

test('the plan before is read in the slots of the next one', async (t) => {
  const before = horizonOf(image({ signals: [prices(0.1, 0.2, 0.3)] }));
  const now = horizonOf(image({ wallMs: NOON + 35 * MINUTE, signals: [prices(0.1, 0.2, 0.3)] }));
  const power_kw = timesOf(before)
    .slice(0, -1)
    .map((atMs) => (atMs - NOON) / MINUTE);
  const start = timesOf(before).indexOf(NOON + 75 * MINUTE);
  const later = laterSchedule({ car: { power_kw }, washer: { start }, idle: { start: null } }, before, now);
  const times = timesOf(now).slice(0, -1);
  t.same(
    later.car?.power_kw,
    times.map((atMs) => {
      const minutes = (atMs - NOON) / MINUTE;
      return minutes < 60 ? minutes : Math.floor(minutes / 15) * 15;
    }),
  );
  t.equal(times[later.washer?.start ?? -1], NOON + 75 * MINUTE);
  t.equal(later.idle?.start, null);
  // Through the planning: the second plan is offered the first.
  let house = image({
    grid_W: known(500),
    devices: [battery({ fill: 0.5 })],
    signals: [prices(0.1, 0.4, 0.1, 0.4)],
  });
  const offered: unknown[] = [];
  const { planner } = await planned(house, {
    series: NOTHING,
    image: () => house,
    make: (task) => {
      offered.push(
        task.last && [task.last.ageSlots, task.last.schedule.battery?.charge_kw?.length, task.scenario.n],
      );
      return planHere(task);
    },
  });
  house = { ...house, wallMs: NOON + 15 * MINUTE };
  await planner.look();
  t.same(offered, [null, [3, 23, 23]]);
});
