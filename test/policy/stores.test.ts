/** Home batteries and heat stores: as the planner sees them, as their plan is followed, and what their thermostat does. */
import { test } from 'tap';
import { ok } from '../../firmware/domain/errors.ts';
import type { HousePlan } from '../../firmware/domain/house-plan.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import type { JournalEntry } from '../../firmware/domain/storage.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { planHouse } from '../../firmware/policy/planner/plan-house.ts';
import { Planning, type PlanningDeps } from '../../firmware/policy/planning.ts';
import { battery, HOUR, heatPump, image, known, NOON, prices, signal, tank } from './home.ts';

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
