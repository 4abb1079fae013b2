/** When a device with a deadline runs: the cheapest quarter hours until then. */
import { maxOf } from '../domain/flexibility.ts';
import { type HousePlanSlot, slotAt } from '../domain/house-plan.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import type { PriceStretch } from '../domain/price-curve.ts';
import { cheapest, pricedSlots } from './prices.ts';

/** Covers ramping and the thermostat's own pauses: plan for a little more time than the energy needs. */
const TIME_RESERVE = 1.1;

export type Verdict = 'run' | 'wait' | 'free';

export interface PricePlan {
  readonly verdict: Verdict;
  readonly slots: readonly PriceStretch[];
  /** The planner's slot of now; null where the cheapest hours decide. */
  readonly planned: HousePlanSlot | null;
}

/** Several rules ask for the same plan in a cycle; an image never changes. */
const plans = new WeakMap<Image, Map<string, PricePlan>>();

/**
 * Where the device runs between now and its deadline: where the planner says so, else in the cheapest hours. Once the
 * time that is left only just suffices, no plan makes it wait longer.
 */
export function pricePlan(image: Image, device: DeviceImage): PricePlan {
  const known = plans.get(image) ?? new Map<string, PricePlan>();
  plans.set(image, known);
  const plan = known.get(device.id) ?? planFor(image, device);
  known.set(device.id, plan);
  return plan;
}

function planFor(image: Image, device: DeviceImage): PricePlan {
  const { need } = device.flexibility;
  if (device.mode !== 'cheap' || !need || !image.wallTrusted)
    return { verdict: 'free', slots: [], planned: null };
  if (need.energy_Wh <= 0) return { verdict: 'wait', slots: [], planned: null };
  const known = pricedSlots(image, image.wallMs, need.byMs);
  if (known.length === 0) return { verdict: 'free', slots: [], planned: null };
  const durationMs = (need.energy_Wh / Math.max(1, maxOf(device.flexibility))) * 3_600_000 * TIME_RESERVE;
  const planned = slotAt(image.plan, device.id, image.wallMs);
  if (planned && image.wallMs < need.byMs - durationMs)
    return {
      verdict: planned.power_W > 0 ? 'run' : 'wait',
      slots: plannedSlots(image, device, known),
      planned,
    };
  const slots = cheapest(known, durationMs);
  const now = slots.some((s) => s.fromMs <= image.wallMs && image.wallMs < s.untilMs);
  return { verdict: now ? 'run' : 'wait', slots, planned: null };
}

/** The slots in which the plan lets the device run, with their prices. */
function plannedSlots(
  image: Image,
  device: DeviceImage,
  known: readonly PriceStretch[],
): readonly PriceStretch[] {
  const own = image.plan?.devices.get(device.id) ?? [];
  return known.filter((s) => own.some((p) => p.power_W > 0 && p.fromMs <= s.fromMs && s.fromMs < p.untilMs));
}
