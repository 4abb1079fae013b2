/**
 * When a roof that can be told gave less than the sun: feeding in cost, or was limited. What it gave then is no cloud. What
 * it was told is not kept; but where the house fed in clearly less than it might, the roof gave all it could.
 */
import type { Image } from '../../domain/image.ts';
import { priceFinder } from '../../domain/price-curve.ts';
import { QUARTER_MS } from './series.ts';

/** The most that was to be fed in during the quarter hour from `atMs`, W, at the price that was kept; null: all. */
export type FeedInLimit = (atMs: number, kept_perWh: number | undefined) => number | null;

/** A roof follows the house a little behind. */
const NEAR_W = 200;

export function feedInLimit({ signals, site }: Pick<Image, 'signals' | 'site'>): FeedInLimit {
  const priceAt = priceFinder(signals, 'exportPrice', site);
  const limits = signals
    .filter((s) => s.kind === 'exportLimit' && s.binding === 'commandable')
    .flatMap((s) => s.intervals);
  return (atMs, kept_perWh) => {
    if ((kept_perWh ?? priceAt(atMs + QUARTER_MS / 2) ?? 0) < 0) return 0;
    const inForce = limits.filter((l) => l.fromMs < atMs + QUARTER_MS && atMs < l.untilMs);
    return inForce.reduce<number | null>(
      (least, { value }) => (value === null ? least : Math.min(least ?? value, value)),
      null,
    );
  };
}

/** Whether the roof may have been held at a feed-in of so much. */
export const mayBeHeld = (fedIn_W: number, limit_W: number | null): boolean =>
  limit_W !== null && fedIn_W >= limit_W - NEAR_W;
