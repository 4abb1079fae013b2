/** What power cost in quarter hours that are past: signals that are over are forgotten after a day, their prices are kept. */
import type { Image } from './image.ts';
import { type PriceKind, priceFinder } from './price-curve.ts';
import type { SeriesStore } from './storage.ts';
import type { WallMs } from './time.ts';

/** Where prices are kept, `_prices/importPrice`: no meter can have this id. */
export const PRICE_SOURCE = '_prices';

/** Price of a quarter hour in currency per Wh: as it was kept, else as it is known now, else the contract's. */
export function pricesKept(
  series: Pick<SeriesStore, 'read'>,
  { signals, site }: Pick<Image, 'signals' | 'site'>,
  kind: PriceKind,
  fromMs: WallMs,
  untilMs: WallMs,
): (atMs: WallMs) => number | null {
  const kept = new Map(
    series.read(`${PRICE_SOURCE}/${kind}`, 'quarter', fromMs, untilMs).map((row) => [row.atMs, row.value]),
  );
  const known = priceFinder(signals, kind, site);
  return (atMs) => kept.get(atMs) ?? known(atMs);
}
