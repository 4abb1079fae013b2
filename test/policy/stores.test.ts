/** Home batteries and other stores: when they are planned, how the plan is followed, and what may not happen. */
import { test } from 'tap';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { decide } from '../../firmware/policy/decide.ts';
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
  signal,
  tank,
  wallbox,
} from './home.ts';
import { CURVE, courseAt, follow, modeAt, NOTHING, planned, pointOf, SLOT, standIn } from './planned.ts';

test('a battery is charged from the grid where it is cheap and gives where it is dear', async (t) => {
  const house = image({ grid_W: known(1000), devices: [battery({ fill: 0.2 })], signals: [CURVE] });
  const { planner, plan, journal } = await planned(house);
  t.match(journal, [{ code: 'PLANNED' }]);
  t.match(modeAt(plan, 'battery', 0.5), { kind: 'charge' });
  t.match(modeAt(plan, 'battery', 5.5), { kind: 'selfConsume' });
  t.equal(
    modeAt(plan, 'battery', 5.5)?.kind === 'selfConsume' && plan?.modes.battery?.length,
    56,
    'twelve of five minutes, then quarter hours',
  );
  const now = follow(house, planner);
  t.ok((pointOf(now, 'battery') ?? 0) > 1000, `${pointOf(now, 'battery')} W from the grid`);
  t.match(decide(now).devices[0]?.reasons, [
    { code: 'PLANNED', values: { mode: 'charge', price: 0.1e-3, fill: 0.2, waitingCosts: Number } },
  ]);
  const course = plan?.course?.battery ?? [];
  t.equal(course.length, 57);
  t.equal(course[0], 0.2);
  t.ok(course.every((x) => x >= 0.1 - 1e-6 && x <= 1 + 1e-6));
  t.ok(
    courseAt(plan, 'battery', 2) > courseAt(plan, 'battery', 8) + 0.2,
    'full after the cheap hours, given in the dear ones',
  );
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
