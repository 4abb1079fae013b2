/** A home that is planned in this very process, and what of the plan a test asks for. */
import { ok } from '../../firmware/domain/errors.ts';
import type { HousePlan } from '../../firmware/domain/house-plan.ts';
import type { Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import type { JournalEntry } from '../../firmware/domain/storage.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { planHouse } from '../../firmware/policy/planner/plan-house.ts';
import { Planning, type PlanningDeps } from '../../firmware/policy/planning.ts';
import { HOUR, NOON, prices } from './home.ts';

/** Plans in this very process, without a solver. */
export const standIn: PlanningDeps['make'] = async (task) => ok(await planHouse(task, null));
export const NOTHING: PlanningDeps['series'] = { read: () => [] };

export async function planned(house: Image, patch: Partial<PlanningDeps> = {}) {
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

export const modeAt = (plan: HousePlan | null, id: string, hour: number): Mode | undefined =>
  plan?.modes[id]?.find((s) => s.fromMs <= NOON + hour * HOUR && NOON + hour * HOUR < s.untilMs)?.mode;
/** What the plan has a store come to, at an hour from noon. */
export const courseAt = (plan: HousePlan | null, id: string, hour: number): number =>
  plan?.course?.[id]?.[plan.courseMs?.indexOf(NOON + hour * HOUR) ?? -1] ?? Number.NaN;
export const follow = (house: Image, planner: Planning): Image => ({
  ...house,
  modes: planner.modes(house.devices),
});
export const SLOT = { fromMs: NOON - HOUR, untilMs: NOON + HOUR };
export const pointOf = (house: Image, id: string): number | undefined =>
  decide(house).devices.find((d) => d.resource === id)?.setPoint_W;

/** Cheap now, dear in the evening, middling after it. */
export const CURVE = prices(0.1, 0.1, 0.3, 0.3, 0.3, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3);
