/** Keeps what the signals said power costs, a value a quarter hour: signals that are over are forgotten after a day. */
import type { Image } from '../domain/image.ts';
import type { Measurement } from '../domain/measurement.ts';
import { PRICE_SOURCE } from '../domain/price-curve.ts';
import type { SeriesStore } from '../domain/storage.ts';
import type { Tariff } from '../domain/tariff.ts';
import { meanPrice } from '../web/prices.ts';

const QUARTER_MS = 900_000;
const NOTHING_FIXED: Tariff = [];
const KINDS = ['importPrice', 'exportPrice'] as const;

export class PriceRecord {
  private readonly series: Pick<SeriesStore, 'append'>;
  private readonly kept = new Map<string, number>();

  constructor(series: Pick<SeriesStore, 'append'>) {
    this.series = series;
  }

  /** Called every cycle; the contract's fixed price is in the configuration and is not kept. */
  take({ site, signals, wallMs, wallTrusted, elapsedMs }: Image): void {
    if (!wallTrusted) return;
    const fromMs = Math.floor(wallMs / QUARTER_MS) * QUARTER_MS;
    const unfixed = { ...site, importTariff: NOTHING_FIXED, exportTariff: NOTHING_FIXED };
    for (const quantity of KINDS) {
      if (this.kept.get(quantity) === fromMs) continue;
      const value = meanPrice(signals, quantity, unfixed, fromMs, fromMs + QUARTER_MS);
      if (value === null) continue;
      this.kept.set(quantity, fromMs);
      const measurement: Measurement = {
        point: { source: PRICE_SOURCE, quantity, phase: 0, tariff: 0, channel: 0 },
        ...{ value, quality: 'good', meterTimeMs: null, receivedMs: wallMs, receivedElapsedMs: elapsedMs },
      };
      this.series.append([measurement]);
    }
  }
}
