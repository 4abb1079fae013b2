/** Overlapping price signals as one curve. Prices in currency per Wh. */
import type { Site } from './image.ts';
import type { Signal } from './signal.ts';
import { type Tariff, type TariffStretch, tariffAt, tariffBetween } from './tariff.ts';
import type { WallMs } from './time.ts';

export type PriceKind = 'importPrice' | 'exportPrice';

/** Half-open [fromMs, untilMs). */
export interface PriceStretch {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  readonly price: number;
}

/** The curves of a list of signals are computed once: the list is replaced, never changed. */
const curves = new WeakMap<readonly Signal[], Map<string, readonly PriceStretch[]>>();

/**
 * What the signals say, in order of time, without overlap: of several the one with the best priority holds, then
 * the newest. Signals in another currency than the site's say nothing. Gaps are left out.
 */
export function priceCurve(
  signals: readonly Signal[],
  kind: PriceKind,
  currency: string,
): readonly PriceStretch[] {
  const known = curves.get(signals) ?? new Map<string, readonly PriceStretch[]>();
  curves.set(signals, known);
  const name = `${kind} ${currency}`;
  const curve = known.get(name) ?? merge(signals, kind, currency);
  known.set(name, curve);
  return curve;
}

const tariffOf = (kind: PriceKind, { importTariff, exportTariff }: Site): Tariff =>
  kind === 'importPrice' ? importTariff : exportTariff;

/** Price at an instant: of the curve, else the one that the contract fixes, else null. */
export function priceAt(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
  atMs: WallMs,
): number | null {
  return priceFinder(signals, kind, site)(atMs);
}

/** `priceAt` for many instants. */
export function priceFinder(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
): (atMs: WallMs) => number | null {
  const curve = priceCurve(signals, kind, site.currency);
  const tariff = tariffOf(kind, site);
  return (atMs) => {
    const stretch = curve[firstEndingAfter(curve, atMs)];
    return stretch && stretch.fromMs <= atMs ? stretch.price : tariffAt(tariff, site.timeZone, atMs);
  };
}

/** Longer than this nobody guesses. */
const MOST_GAP_MS = 3 * 3_600_000;

/**
 * `priceFinder` for who plans: a short gap between known prices has the worse of its two neighbours, so that an hour nobody
 * knows the price of neither ends what can be planned nor is chosen.
 */
export function plannedPriceFinder(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
): (atMs: WallMs) => number | null {
  const curve = priceCurve(signals, kind, site.currency);
  const known = priceFinder(signals, kind, site);
  return (atMs) => {
    const price = known(atMs);
    if (price !== null) return price;
    const i = firstEndingAfter(curve, atMs);
    const [before, after] = [curve[i - 1], curve[i]];
    if (!before || !after || after.fromMs - before.untilMs > MOST_GAP_MS) return null;
    return kind === 'importPrice' ? Math.max(before.price, after.price) : Math.min(before.price, after.price);
  };
}

/** From `fromMs` to `untilMs` without a gap: what no signal covers has the price that the contract fixes, or null. */
export function pricesBetween(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
  fromMs: WallMs,
  untilMs: WallMs,
): TariffStretch[] {
  const curve = priceCurve(signals, kind, site.currency);
  const fixed = (from: WallMs, until: WallMs): TariffStretch[] =>
    tariffBetween(tariffOf(kind, site), site.timeZone, from, until);
  const cover: TariffStretch[] = [];
  let at = fromMs;
  for (const stretch of curve.slice(firstEndingAfter(curve, fromMs))) {
    if (stretch.fromMs >= untilMs) break;
    cover.push(...fixed(at, stretch.fromMs));
    at = Math.min(stretch.untilMs, untilMs);
    cover.push({ ...stretch, fromMs: Math.max(stretch.fromMs, fromMs), untilMs: at });
  }
  return [...cover, ...fixed(at, untilMs)];
}

/** Index of the first stretch that ends after `atMs`; the length when there is none. */
function firstEndingAfter(curve: readonly PriceStretch[], atMs: WallMs): number {
  let low = 0;
  let high = curve.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((curve[middle]?.untilMs ?? Infinity) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Edge {
  readonly atMs: WallMs;
  readonly opens: boolean;
  /** Place in the order of strength, 0 strongest. */
  readonly rank: number;
  readonly price: number;
}

/** A sweep over all begins and ends, with what is in force held in order of strength. */
function merge(signals: readonly Signal[], kind: PriceKind, currency: string): PriceStretch[] {
  const inForce: Edge[] = [];
  const curve: PriceStretch[] = [];
  let fromMs = -Infinity;
  for (const edge of edgesOf(signals, kind, currency)) {
    const strongest = inForce[0];
    if (strongest && edge.atMs > fromMs) curve.push({ fromMs, untilMs: edge.atMs, price: strongest.price });
    fromMs = edge.atMs;
    if (edge.opens) inForce.splice(placeOf(inForce, edge.rank), 0, edge);
    else
      inForce.splice(
        inForce.findIndex((e) => e.rank === edge.rank && e.price === edge.price),
        1,
      );
  }
  return curve;
}

function edgesOf(signals: readonly Signal[], kind: PriceKind, currency: string): Edge[] {
  return signals
    .filter((s) => s.kind === kind && (s.currency === null || s.currency === currency))
    .sort((a, b) => a.priority - b.priority || b.modifiedMs - a.modifiedMs)
    .flatMap(({ intervals }, rank) =>
      intervals.flatMap(({ fromMs, untilMs, value: price }) =>
        price === null || untilMs <= fromMs
          ? []
          : [
              { atMs: fromMs, opens: true, rank, price },
              { atMs: untilMs, opens: false, rank, price },
            ],
      ),
    )
    .sort((a, b) => a.atMs - b.atMs);
}

function placeOf(inForce: readonly Edge[], rank: number): number {
  const place = inForce.findIndex((e) => e.rank > rank);
  return place < 0 ? inForce.length : place;
}
