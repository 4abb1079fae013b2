/** Prices over time from the signals in hand, and what is planned when. Currency per Wh inside, per kWh outside. */

import type { Site, Snapshot } from '../domain/image.ts';
import { type PriceKind, priceAt, pricesBetween } from '../domain/price-curve.ts';
import type { Signal } from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';
import { plannedOf } from './planned.ts';
import type { Prices } from './schema.ts';
import { dayStart } from './zone.ts';

/** More than any curve can show. */
const MOST_SLOTS = 400;

/** Mean price over [fromMs, untilMs), by time; null as soon as a part of it has no price. */
export function meanPrice(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
  fromMs: WallMs,
  untilMs: WallMs,
): number | null {
  let sum = 0;
  for (const part of pricesBetween(signals, kind, site, fromMs, untilMs)) {
    if (part.price === null) return null;
    sum += part.price * (part.untilMs - part.fromMs);
  }
  return untilMs > fromMs ? sum / (untilMs - fromMs) : null;
}

const perKWh = (price: number | null): number | null => (price === null ? null : price * 1000);

/** The curve from the start of today to the end of tomorrow, as far as prices are known. */
export function pricesOf(snapshot: Snapshot): Prices {
  const { image } = snapshot;
  const slots = slotsOf(snapshot);
  const known = slots.findLastIndex((slot) => slot.import !== null || slot.export !== null);
  return {
    currency: image.site.currency,
    nowMs: image.wallMs,
    slots: slots.slice(0, known + 1),
    planned: plannedOf(snapshot),
  };
}

function slotsOf({ image: { site, signals, wallMs } }: Snapshot): Prices['slots'] {
  const fromMs = dayStart(site.timeZone, wallMs);
  const untilMs = dayStart(site.timeZone, wallMs, 2);
  const parts = (['importPrice', 'exportPrice'] as const).flatMap((kind) =>
    pricesBetween(signals, kind, site, fromMs, untilMs),
  );
  const edges = [...new Set([...parts.map((part) => part.fromMs), untilMs])].sort((a, b) => a - b);
  return edges.slice(0, Math.min(edges.length - 1, MOST_SLOTS)).map((from, index) => ({
    fromMs: from,
    untilMs: edges[index + 1] ?? untilMs,
    import: perKWh(priceAt(signals, 'importPrice', site, from)),
    export: perKWh(priceAt(signals, 'exportPrice', site, from)),
  }));
}
