/** What power cost this house in past weeks, as far as the store and the contract know. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { Site } from '../../domain/image.ts';
import { pricesKept } from '../../domain/price-history.ts';
import type { Signal } from '../../domain/signal.ts';
import type { SeriesStore } from '../../domain/storage.ts';
import { QUARTER_MS } from '../forecast/series.ts';
import type { Days } from './days.ts';
import { hours, type Span } from './own-span.ts';

/** More of the quarter hours without a price: nothing is claimed. */
const MOST_UNKNOWN = 0.1;

export interface PriceSources {
  readonly series: Pick<SeriesStore, 'read'>;
  readonly site: Site;
  /** What may still be in force: what power costs now. */
  readonly signals: readonly Signal[];
  /** Another contract will price the import: what it cost need not be known. */
  readonly isPricedElsewhere: boolean;
}

interface OwnPrices {
  readonly prices: Days['prices'];
  readonly notes: string[];
}

/** SCENARIO_INVALID where the import price of more than a tenth of the time is not known, and is needed. */
export function ownPrices(house: PriceSources, { fromMs, untilMs }: Span): Result<OwnPrices> {
  const { series, site, signals } = house;
  const read = (kind: 'importPrice' | 'exportPrice'): (number | null)[] => {
    const priceAt = pricesKept(series, { signals, site }, kind, fromMs, untilMs);
    const slots = Array.from({ length: (untilMs - fromMs) / QUARTER_MS }, (_, t) => fromMs + t * QUARTER_MS);
    return slots.map((atMs) => priceAt(atMs)).map((price) => (price === null ? null : price * 1000));
  };
  const [bought, sold] = [read('importPrice'), read('exportPrice')];
  const known = bought.filter((x) => x !== null);
  const unknown = house.isPricedElsewhere ? 0 : bought.length - known.length;
  if (unknown > MOST_UNKNOWN * bought.length)
    return refuse(
      'SCENARIO_INVALID',
      `no import price is known for ${hours(unknown)} of ${hours(bought.length)} hours: try a contract on them with --tariff`,
    );
  const mean = known.reduce((sum, x) => sum + x, 0) / Math.max(1, known.length);
  const unsold = sold.filter((x) => x === null).length;
  return ok({
    prices: { import: bought.map((x) => x ?? mean), export: sold.map((x) => x ?? 0) },
    notes: [
      ...(unknown > 0
        ? [`No import price is known for ${hours(unknown)} hours: they cost the mean of the others.`]
        : []),
      ...(unsold > 0
        ? [`No price for feeding in is known for ${hours(unsold)} hours: it earns nothing then.`]
        : []),
    ],
  });
}
