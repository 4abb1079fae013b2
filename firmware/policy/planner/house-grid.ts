/** What grid and contract say about the time ahead, as the planner needs it: by slot, in kW and per kWh. */
import type { Image, Site } from '../../domain/image.ts';
import { type PriceKind, plannedPriceFinder } from '../../domain/price-curve.ts';
import type { WallMs } from '../../domain/time.ts';
import { QUARTER_MS } from '../forecast/series.ts';
import { supplied } from '../forecast/supplied.ts';
import {
  beginMs,
  endMs,
  type HouseSlots,
  quarterOf,
  quarterPeriod,
  quartersOf,
  slotsAhead,
  TICK_MS,
} from './house-slots.ts';
import type { Scenario } from './scenario.ts';

/** Beyond two days no market says anything. */
const MOST_MS = 48 * 3_600_000;

/** From now up to the first slot without a price; short gaps are bridged. */
export function horizonOf(image: Image): HouseSlots {
  const price = slotPrice(image, 'importPrice');
  return slotsAhead(image.wallMs, MOST_MS, (fromMs, untilMs) => price(fromMs, untilMs) !== null);
}

/** Currency per kWh by slot, 0 where none is known. */
export function slotPrices(image: Image, kind: PriceKind, slots: HouseSlots): number[] {
  const price = slotPrice(image, kind);
  return Array.from(
    { length: slots.n },
    (_, t) => (price(beginMs(slots, t), beginMs(slots, t + 1)) ?? 0) * 1000,
  );
}

/** Currency per Wh, the mean of what holds in the middle of each tick; null where one of them has no price. */
function slotPrice(
  { signals, site }: Image,
  kind: PriceKind,
): (fromMs: WallMs, untilMs: WallMs) => number | null {
  const priceAt = plannedPriceFinder(signals, kind, site);
  return (fromMs, untilMs) => {
    let sum = 0;
    for (let atMs = fromMs; atMs < untilMs; atMs += TICK_MS) {
      const price = priceAt(atMs + TICK_MS / 2);
      if (price === null) return null;
      sum += price;
    }
    return (sum * TICK_MS) / (untilMs - fromMs);
  };
}

/** The quarter hours that forecasts are made for, from the one that is running on. */
export function quarterHorizon(slots: HouseSlots): { fromMs: WallMs; slots: number } {
  const fromMs = quarterOf(slots.fromMs);
  return { fromMs, slots: Math.ceil((endMs(slots) - fromMs) / QUARTER_MS) };
}

/** What peaks cost, by the quarter hour, of which the first has begun. */
export const peakOf = ({ peak }: Site, slots: HouseSlots): Scenario['grid']['peak'] =>
  peak && {
    price_per_kw: peak.price_perW * 1000,
    free_kw: Math.max(0, peak.free_W) / 1000,
    period: { ...quarterPeriod(slots), past_kwh: 0 },
  };

/**
 * Grams per kWh where the owner gives something for them and at least half of the time is known: the rest is then taken
 * to be as clean as the mean, which moves nothing towards it or away from it.
 */
export function carbonOf({ signals, site }: Image, slots: HouseSlots): Scenario['co2'] {
  if (!site.co2_perG) return null;
  const horizon = quarterHorizon(slots);
  const said = supplied(signals, 'co2', horizon.fromMs, horizon.slots).map((x) => x && Math.max(0, x) * 1000);
  const known = said.filter((x) => x !== null);
  if (known.length < said.length / 2) return null;
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  return { g_per_kwh: quartersOf(slots).map((q) => said[q] ?? mean), price_per_kg: site.co2_perG * 1000 };
}
