/** What grid and contract say about the time ahead, as the planner needs it: by slot, in kW and per kWh. */
import type { Image, Site } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type PriceKind, priceFinder } from '../../domain/price-curve.ts';
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
  slotsUntil,
  TICK_MS,
} from './house-slots.ts';
import type { PlanEvent, Scenario } from './scenario.ts';

/** Beyond two days no market says anything. */
const MOST_MS = 48 * 3_600_000;

/** From now up to the first slot without a price. */
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
  const priceAt = priceFinder(signals, kind, site);
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

/** The operator's limits that are known to come, as events. */
export function limitsOf(image: Image, slots: HouseSlots): PlanEvent[] {
  return image.signals
    .filter((s) => s.binding === 'commandable' && (s.kind === 'importLimit' || s.kind === 'exportLimit'))
    .flatMap((s) =>
      s.intervals.flatMap(({ fromMs: begin, untilMs, value }): PlanEvent[] => {
        const start = slotsUntil(slots, begin);
        // A slot in which it ends is limited to its end.
        const end = untilMs < endMs(slots) ? slotsUntil(slots, untilMs - 1) + 1 : slots.n;
        if (value === null || end <= start || untilMs <= image.wallMs) return [];
        const steerable = s.scope === 'controllable' ? 'steerable_limit' : 'import_limit';
        const kind = s.kind === 'exportLimit' ? 'export_limit' : steerable;
        const limit_kw = Math.max(0, value) / 1000;
        return [{ id: s.id.slice(0, 64), kind, start, end, limit_kw, hard: true, announced_slot: 0 }];
      }),
    )
    .slice(0, LIMITS.planEvents);
}
