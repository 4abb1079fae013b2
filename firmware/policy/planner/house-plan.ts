/** What came of planning, as the house keeps it: modes, certificate, and the course that its stores are to take. */
import type { HousePlan } from '../../domain/house-plan.ts';
import type { Image } from '../../domain/image.ts';
import { modesOf } from '../followers/modes-of.ts';
import { orSurplus, plannedSlots, underPeak, withAlternatives } from './house-modes.ts';
import { endMs, type HouseSlots, slotsNow, timesOf } from './house-slots.ts';
import type { MadePlan } from './planner.ts';
import type { Scenario } from './scenario.ts';

/** The plan of the house as it is kept, shown and followed. */
export function planOf(
  image: Image,
  slots: HouseSlots,
  scenario: Scenario,
  made: MadePlan & { readonly peak_kw: number },
): HousePlan {
  const { cost, bound, gap, source } = made.certificate;
  const modes = orSurplus(modesOf(plannedSlots(image, slots, scenario, made)), scenario, made.schedule);
  return {
    madeMs: slots.fromMs,
    untilMs: endMs(slots),
    modes: underPeak(withAlternatives(modes, slotsNow(slots), made.alternatives), scenario, made),
    bill: made.bill,
    certificate: { cost, bound, gap, source },
    quality: made.quality,
    course: inShares(image, made.course ?? {}),
    courseMs: timesOf(slots),
  };
}

/** What batteries hold as a share of what fits. */
function inShares(
  { devices }: Image,
  course: NonNullable<MadePlan['course']>,
): NonNullable<HousePlan['course']> {
  return Object.fromEntries(
    Object.entries(course).map(([id, values]) => {
      const store = devices.find((d) => d.id === id)?.flexibility.store;
      const whole = store?.kind === 'battery' ? store.capacity_Wh / 1000 : 1;
      return [id, values.map((x) => x / whole)];
    }),
  );
}

/** How far a store may be from the plan's course: share of a battery's capacity, K. */
const OFF_COURSE = { battery: 0.15, tank: 6, house: 1 } as const;

/** A store is not nearly where the plan had it: what the plan says next was meant for another house. */
export function isOffCourse(
  plan: HousePlan,
  { devices, wallMs }: Pick<Image, 'devices' | 'wallMs'>,
): boolean {
  const slot = (plan.courseMs ?? []).findLastIndex((atMs) => atMs <= wallMs);
  return devices.some(({ id, flexibility: { store } }) => {
    const course = plan.course?.[id];
    const now = store?.kind === 'battery' ? store.fill : store?.temperature_C;
    if (!course || !store || now === null || now === undefined) return false;
    const [from, until] = [course[slot], course[slot + 1]];
    if (from === undefined || until === undefined) return false;
    const off = OFF_COURSE[store.kind === 'battery' ? 'battery' : store.what];
    return now < Math.min(from, until) - off || now > Math.max(from, until) + off;
  });
}
