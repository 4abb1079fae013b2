/** What the other choice would cost: starting now instead of when planned, or pausing instead of running now. */
import { maxOf } from '../domain/flexibility.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import type { PriceStretch } from '../domain/price-curve.ts';
import { pricePlan } from './price-plan.ts';
import { cheapest, pricedSlots, SLOT_MS } from './prices.ts';
import { hasBegun, latestStartMs, programStart } from './program-start.ts';

const HOUR_MS = 3_600_000;

/**
 * How much longer a device can wait and still have what it needs by its deadline; null when it states no need. A program
 * that has begun waits no more.
 */
export function comfortLeftMs({ wallMs, wallTrusted }: Image, device: DeviceImage): number | null {
  const { need } = device.flexibility;
  if (hasBegun(device)) return 0;
  const latestMs = latestStartMs(device);
  if (latestMs !== null) return wallTrusted ? latestMs - wallMs : null;
  if (!need || need.energy_Wh <= 0 || !wallTrusted) return null;
  return need.byMs - wallMs - runMs(device);
}

/** In the site's currency, what starting now costs more than the planned hours; null when a price is missing. */
export function startingNowCosts(image: Image, device: DeviceImage): number | null {
  if ((device.flexibility.need?.fromMs ?? 0) > image.wallMs) return null;
  const { slots } = pricePlan(image, device);
  const now = pricedSlots(image, image.wallMs, image.wallMs + runMs(device));
  return difference(cost(device, now), cost(device, slots));
}

/** In the site's currency, what a pause until the next quarter hour costs; null when it cannot be had or priced later. */
export function waitingCosts(image: Image, device: DeviceImage): number | null {
  const { need, program } = device.flexibility;
  if (program) return programStart(image, device)?.waitingCosts ?? null;
  if (!need || !image.wallTrusted) return null;
  const next = Math.floor(image.wallMs / SLOT_MS) * SLOT_MS + SLOT_MS;
  const later = cheapest(pricedSlots(image, next, need.byMs), runMs(device));
  return difference(cost(device, later), cost(device, pricePlan(image, device).slots));
}

/** At full power, for the energy that it still needs. */
function runMs({ flexibility }: DeviceImage): number {
  return ((flexibility.need?.energy_Wh ?? 0) / Math.max(1, maxOf(flexibility))) * HOUR_MS;
}

/** Of the energy that is needed, taken at full power; null when the time is too short for it. */
function cost(device: DeviceImage, slots: readonly PriceStretch[]): number | null {
  let left = device.flexibility.need?.energy_Wh ?? 0;
  let sum = 0;
  for (const { fromMs, untilMs, price } of slots) {
    const energy_Wh = Math.min(left, (maxOf(device.flexibility) * (untilMs - fromMs)) / HOUR_MS);
    sum += energy_Wh * price;
    left -= energy_Wh;
  }
  return left > 1 ? null : sum;
}

const difference = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a - b;
