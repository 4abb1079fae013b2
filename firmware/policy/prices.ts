/** The price curve as one timeline, and the cheapest slots in it. Prices in currency per Wh. */
import type { Image } from '../domain/image.ts';
import type { SignalKind } from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';

export const SLOT_MS = 15 * 60_000;

/** Price at an instant: of overlapping signals the best priority, then the newest. Null when nobody says. */
export function priceAt(
  image: Pick<Image, 'signals' | 'site'>,
  kind: SignalKind & ('importPrice' | 'exportPrice'),
  atMs: WallMs,
): number | null {
  let best: { value: number; priority: number; modifiedMs: number } | null = null;
  for (const signal of image.signals) {
    if (signal.kind !== kind || (signal.currency !== null && signal.currency !== image.site.currency))
      continue;
    for (const { fromMs, untilMs, value } of signal.intervals) {
      if (value === null || atMs < fromMs || atMs >= untilMs) continue;
      const better =
        !best ||
        signal.priority < best.priority ||
        (signal.priority === best.priority && signal.modifiedMs > best.modifiedMs);
      if (better) best = { value, priority: signal.priority, modifiedMs: signal.modifiedMs };
    }
  }
  const fixed = kind === 'importPrice' ? image.site.fixedImportPrice : image.site.fixedExportPrice;
  return best ? best.value : fixed;
}

export interface Slot {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  readonly price: number;
}

/** Quarter-hour slots from the one that holds `fromMs` up to `untilMs` or the first slot without a price. */
export function pricedSlots(image: Pick<Image, 'signals' | 'site'>, fromMs: WallMs, untilMs: WallMs): Slot[] {
  const slots: Slot[] = [];
  for (let at = Math.floor(fromMs / SLOT_MS) * SLOT_MS; at < untilMs && slots.length < 384; at += SLOT_MS) {
    const price = priceAt(image, 'importPrice', Math.max(at, fromMs));
    if (price === null) break;
    slots.push({ fromMs: Math.max(at, fromMs), untilMs: Math.min(at + SLOT_MS, untilMs), price });
  }
  return slots;
}

/** The cheapest slots that together last `durationMs`, the earlier one on a tie, in order of time. */
export function cheapest(slots: readonly Slot[], durationMs: number): Slot[] {
  const chosen: Slot[] = [];
  let left = durationMs;
  for (const slot of [...slots].sort((a, b) => a.price - b.price || a.fromMs - b.fromMs)) {
    if (left <= 0) break;
    chosen.push(slot);
    left -= slot.untilMs - slot.fromMs;
  }
  return chosen.sort((a, b) => a.fromMs - b.fromMs);
}
