/**
 * Devices that follow own production get what would otherwise be exported, most important first. Without a fresh
 * meter there is no surplus.
 */
import { setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { startingNowCosts } from '../alternative.ts';
import { baseLoad_W } from '../balance.ts';
import { modeNow } from '../followers/follow.ts';
import { because, byPriority, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';
import { pricePlan } from '../price-plan.ts';
import { isForced } from './owner.ts';

export const ownSolar: Rule = ({ image }, plan) =>
  image.devices.filter((d) => follows(image, d)).reduce((p, d) => limit(image, p, d), plan);

/** Mode `solar`, and `cheap` while it waits for its slot. */
function follows(image: Image, device: DeviceImage): boolean {
  // A program takes the sun where it starts, and is not stopped for a cloud.
  if (device.flexibility.program) return false;
  if (!isControllable(device) || isProducer(device) || isForced(image, device) || modeNow(image, device))
    return false;
  return device.mode === 'solar' || (device.mode === 'cheap' && pricePlan(image, device).verdict === 'wait');
}

/** The set-point that own production carries for this device after those more important than it. */
export function surplusFor_W(image: Image, device: DeviceImage): number {
  const base = baseLoad_W(image);
  if (base === null) return 0;
  let left = Math.max(0, -base);
  for (const other of byPriority(image.devices.filter((d) => isControllable(d) && !isProducer(d)))) {
    const share = setPointUnder(other.flexibility, left) ?? 0;
    if (other.id === device.id) return Math.max(0, share);
    const taken = follows(image, other) ? share : Math.max(0, other.power_W.value ?? 0);
    left = Math.max(0, left - taken);
  }
  return 0;
}

function limit(image: Image, plan: Plan, device: DeviceImage): Plan {
  const surplus_W = surplusFor_W(image, device);
  const costs = device.mode === 'cheap' ? { startingNowCosts: startingNowCosts(image, device) } : {};
  return narrow(plan, device.id, { max_W: surplus_W }, because('OWN_SOLAR', { surplus_W, ...costs }));
}
