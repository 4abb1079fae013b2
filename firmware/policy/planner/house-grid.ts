/** What grid and contract say about the time ahead, as the planner needs it: by slot, in kW and per kWh. */
import type { Image, Site } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import { pricesBetween } from '../../domain/price-curve.ts';
import type { WallMs } from '../../domain/time.ts';
import { supplied } from '../forecast/supplied.ts';
import { PLAN_SLOT_MS } from './house-stores.ts';
import type { PlanEvent, Scenario } from './scenario.ts';

/** Two days: beyond them no market says anything. */
const MOST_SLOTS = 192;

/** From the quarter hour that is running up to the first one without a price. */
export function horizonOf(image: Image): { fromMs: WallMs; slots: number } {
  const fromMs = Math.floor(image.wallMs / PLAN_SLOT_MS) * PLAN_SLOT_MS;
  const prices = slotPrices(image, 'importPrice', fromMs, MOST_SLOTS);
  const gap = prices.indexOf(null);
  return { fromMs, slots: gap < 0 ? MOST_SLOTS : gap };
}

/** Currency per kWh by slot: what holds in the middle of it. */
export function slotPrices(
  { signals, site }: Image,
  kind: 'importPrice' | 'exportPrice',
  fromMs: WallMs,
  slots: number,
): (number | null)[] {
  const curve = pricesBetween(signals, kind, site, fromMs, fromMs + slots * PLAN_SLOT_MS);
  return Array.from({ length: slots }, (_, i) => {
    const middle = fromMs + (i + 0.5) * PLAN_SLOT_MS;
    const price = curve.find((s) => s.fromMs <= middle && middle < s.untilMs)?.price ?? null;
    return price === null ? null : price * 1000;
  });
}

/** What peaks cost, of which this month may have seen one already. */
export const peakOf = ({ peak }: Site): Scenario['grid']['peak'] =>
  peak && { price_per_kw: peak.price_perW * 1000, free_kw: Math.max(0, peak.free_W) / 1000 };

/**
 * Grams per kWh where the owner gives something for them and at least half of the time is known: the rest is then taken
 * to be as clean as the mean, which moves nothing towards it or away from it.
 */
export function carbonOf({ signals, site }: Image, fromMs: WallMs, slots: number): Scenario['co2'] {
  if (!site.co2_perG) return null;
  const said = supplied(signals, 'co2', fromMs, slots).map((x) => x && Math.max(0, x) * 1000);
  const known = said.filter((x) => x !== null);
  if (known.length < slots / 2) return null;
  const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
  return { g_per_kwh: said.map((x) => x ?? mean), price_per_kg: site.co2_perG * 1000 };
}

/** The operator's limits that are known to come, as events. */
export function limitsOf(image: Image, fromMs: WallMs, slots: number): PlanEvent[] {
  const slotOf = (ms: WallMs): number => Math.min(slots, Math.max(0, (ms - fromMs) / PLAN_SLOT_MS));
  return image.signals
    .filter((s) => s.binding === 'commandable' && (s.kind === 'importLimit' || s.kind === 'exportLimit'))
    .flatMap((s) =>
      s.intervals.flatMap(({ fromMs: begin, untilMs, value }): PlanEvent[] => {
        const [start, end] = [Math.floor(slotOf(begin)), Math.ceil(slotOf(untilMs))];
        if (value === null || end <= start || untilMs <= image.wallMs) return [];
        const steerable = s.scope === 'controllable' ? 'steerable_limit' : 'import_limit';
        const kind = s.kind === 'exportLimit' ? 'export_limit' : steerable;
        const limit_kw = Math.max(0, value) / 1000;
        return [{ id: s.id.slice(0, 64), kind, start, end, limit_kw, hard: true, announced_slot: 0 }];
      }),
    )
    .slice(0, LIMITS.planEvents);
}
