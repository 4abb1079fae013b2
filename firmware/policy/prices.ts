/** The price curve in quarter hours, and the cheapest of them. Prices in currency per Wh. */
import type { Image } from '../domain/image.ts';
import { type PriceStretch, plannedPriceFinder } from '../domain/price-curve.ts';
import type { WallMs } from '../domain/time.ts';

export const SLOT_MS = 15 * 60_000;
/** Four days: no market says more. */
const MOST_SLOTS = 384;

/** Quarter-hour slots from the one that holds `fromMs` up to `untilMs` or the first slot without a price; short gaps are bridged. */
export function pricedSlots(
  { signals, site }: Pick<Image, 'signals' | 'site'>,
  fromMs: WallMs,
  untilMs: WallMs,
): PriceStretch[] {
  const slots: PriceStretch[] = [];
  const priceAt = plannedPriceFinder(signals, 'importPrice', site);
  let at = Math.floor(fromMs / SLOT_MS) * SLOT_MS;
  for (; at < untilMs && slots.length < MOST_SLOTS; at += SLOT_MS) {
    const begin = Math.max(at, fromMs);
    const price = priceAt(begin);
    if (price === null) break;
    slots.push({ fromMs: begin, untilMs: Math.min(at + SLOT_MS, untilMs), price });
  }
  return slots;
}

/** The cheapest slots that together last `durationMs`, the earlier one on a tie, in order of time. */
export function cheapest(slots: readonly PriceStretch[], durationMs: number): PriceStretch[] {
  const chosen: PriceStretch[] = [];
  let left = durationMs;
  for (const slot of [...slots].sort((a, b) => a.price - b.price || a.fromMs - b.fromMs)) {
    if (left <= 0) break;
    chosen.push(slot);
    left -= slot.untilMs - slot.fromMs;
  }
  return chosen.sort((a, b) => a.fromMs - b.fromMs);
}
