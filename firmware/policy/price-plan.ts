/** When a device with a deadline runs: the cheapest quarter hours until then. */
import { maxOf } from '../domain/flexibility.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import type { PriceStretch } from '../domain/price-curve.ts';
import { cheapest, pricedSlots } from './prices.ts';

/** Covers ramping and the thermostat's own pauses: plan for a little more time than the energy needs. */
const TIME_RESERVE = 1.1;

/** At full power, with a reserve; 0 where it wants nothing. */
export const timeNeededMs = ({ flexibility }: DeviceImage): number =>
  ((flexibility.need?.energy_Wh ?? 0) / Math.max(1, maxOf(flexibility))) * 3_600_000 * TIME_RESERVE;

export type Verdict = 'run' | 'wait' | 'free';

export interface PricePlan {
  readonly verdict: Verdict;
  readonly slots: readonly PriceStretch[];
}

/** Several rules ask for the same plan in a cycle; an image never changes. */
const plans = new WeakMap<Image, Map<string, PricePlan>>();

/** Where the device runs between now and its deadline. */
export function pricePlan(image: Image, device: DeviceImage): PricePlan {
  const known = plans.get(image) ?? new Map<string, PricePlan>();
  plans.set(image, known);
  const plan = known.get(device.id) ?? planFor(image, device);
  known.set(device.id, plan);
  return plan;
}

function planFor(image: Image, device: DeviceImage): PricePlan {
  const { need } = device.flexibility;
  if (device.mode !== 'cheap' || !need || !image.wallTrusted) return { verdict: 'free', slots: [] };
  if (need.energy_Wh <= 0) return { verdict: 'wait', slots: [] };
  const known = pricedSlots(image, Math.max(image.wallMs, need.fromMs ?? 0), need.byMs);
  const isThere = (need.fromMs ?? 0) <= image.wallMs;
  if (known.length === 0) return { verdict: isThere ? 'free' : 'wait', slots: [] };
  const slots = cheapest(known, timeNeededMs(device));
  const now = slots.some((s) => s.fromMs <= image.wallMs && image.wallMs < s.untilMs);
  return { verdict: now ? 'run' : 'wait', slots };
}
