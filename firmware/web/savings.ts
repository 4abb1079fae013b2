/**
 * "What did waiting save?": what each device took by its last deadline, at the prices of when it ran, against the same
 * energy taken at once. When it would have begun nobody knows (when was the car plugged in?): somewhere between the
 * deadline before and its first quarter hour; the error is what that leaves open.
 */
import { energyHistory } from '../domain/energy-history.ts';
import { maxOf } from '../domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../domain/image.ts';
import type { SeriesStore } from '../domain/storage.ts';
import type { WallMs } from '../domain/time.ts';
import { pricesKept } from './energy.ts';
import type { Savings } from './schema-history.ts';
import { timeWords } from './zone.ts';

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
/** A quarter hour with less is a device that waits. */
const NOTHING_Wh = 5;
/** More quarter hours unknown than this: nothing is claimed. */
const MOST_MISSING = 0.1;
/** Rounds to nothing. */
const NO_MONEY = 0.005;

/** One quarter hour, Wh and currency per Wh. */
export interface Quarter {
  readonly import_Wh: number;
  readonly export_Wh: number;
  readonly device_Wh: number;
  readonly importPrice: number;
  /** What is fed in for no known price earns nothing. */
  readonly exportPrice: number;
}

/**
 * What running at once would have cost more, in the currency of the prices: the least and the most over all quarter
 * hours in which it may have begun. `most_Wh`: what the device takes in a quarter hour. Null when it took nothing.
 */
export function savedBetween(quarters: readonly Quarter[], most_Wh: number): [number, number] | null {
  const energy_Wh = quarters.reduce((sum, q) => sum + q.device_Wh, 0);
  const first = quarters.findIndex((q) => q.device_Wh > NOTHING_Wh);
  if (first < 0 || most_Wh <= 0) return null;
  const saved = quarters.slice(0, first + 1).map((_, start) => {
    let left_Wh = energy_Wh;
    return quarters.reduce((sum, q, i) => {
      // What no time was left for is taken in the last one: it was taken.
      const room_Wh = i < start ? 0 : i === quarters.length - 1 ? left_Wh : most_Wh;
      const taken_Wh = Math.min(left_Wh, room_Wh);
      left_Wh -= taken_Wh;
      return sum + worth(q, taken_Wh - q.device_Wh);
    }, 0);
  });
  return [Math.min(...saved), Math.max(...saved)];
}

/** What `more_Wh` cost or spare: more takes what was fed in first, less spares what was bought first. */
function worth({ import_Wh, export_Wh, importPrice, exportPrice }: Quarter, more_Wh: number): number {
  const sold_Wh = more_Wh > 0 ? Math.min(export_Wh, more_Wh) : Math.min(0, more_Wh + import_Wh);
  return sold_Wh * exportPrice + (more_Wh - sold_Wh) * importPrice;
}

type Reader = Pick<SeriesStore, 'points' | 'read'>;

export function savingsOf(snapshot: Snapshot, series: Reader, meter: string | null): Savings {
  const { image } = snapshot;
  const devices = image.devices.flatMap((d) => ofDevice(d, snapshot, series, meter) ?? []);
  const known = devices.filter((d) => d.saved !== null);
  const sum = (pick: (d: Savings['devices'][number]) => number | null): number | null =>
    known.length === 0 ? null : known.reduce((total, d) => total + (pick(d) ?? 0), 0);
  const total = {
    saved: sum((d) => d.saved),
    error: sum((d) => d.error),
    energy_Wh: sum((d) => d.energy_Wh),
  };
  const facts = { currency: image.site.currency, devices, ...total };
  return { ...facts, sentence: sentenceOf(facts, image.site.timeZone, image.wallMs) };
}

function ofDevice(
  { id, mode, flexibility }: DeviceImage,
  snapshot: Snapshot,
  series: Reader,
  meter: string | null,
): Savings['devices'][number] | null {
  const { need, name } = flexibility;
  if (!snapshot.image.wallTrusted || mode !== 'cheap' || need === null || meter === null) return null;
  const untilMs = Math.floor((need.byMs - DAY_MS) / QUARTER_MS) * QUARTER_MS;
  const fromMs = untilMs - DAY_MS;
  if (untilMs > snapshot.image.wallMs) return null;
  const all = quartersOf(id, snapshot, series, meter, fromMs, untilMs);
  const quarters = all.filter((q) => q !== null);
  const missing = all.length - quarters.length;
  const isKnown = all.length > 0 && missing <= MOST_MISSING * all.length;
  const range = isKnown ? savedBetween(quarters, maxOf(flexibility) / 4) : null;
  return {
    ...{ id, name, fromMs, untilMs, missing },
    energy_Wh: isKnown ? quarters.reduce((sum, q) => sum + q.device_Wh, 0) : null,
    saved: range && (range[0] + range[1]) / 2,
    error: range && (range[1] - range[0]) / 2,
  };
}

/** Null for a quarter hour of which a reading or the price is missing. */
function quartersOf(
  id: string,
  snapshot: Snapshot,
  series: Reader,
  meter: string,
  fromMs: WallMs,
  untilMs: WallMs,
): (Quarter | null)[] {
  const read = (quantity: 'activeEnergyImport' | 'activeEnergyExport') =>
    energyHistory(series, meter, quantity, fromMs, untilMs);
  const [bought, sold] = [read('activeEnergyImport'), read('activeEnergyExport')];
  const rows = series.read(`${id}/activePower`, 'quarter', fromMs, untilMs);
  const power_W = new Map(rows.map((row) => [row.atMs, row.value]));
  const price = pricesKept(series, snapshot, 'importPrice', fromMs, untilMs);
  const earned = pricesKept(series, snapshot, 'exportPrice', fromMs, untilMs);
  return bought.map(({ fromMs: at, energy_Wh: import_Wh }, i) => {
    const [mean_W, importPrice] = [power_W.get(at) ?? null, price(at)];
    if (import_Wh === null || mean_W === null || importPrice === null) return null;
    const export_Wh = sold[i]?.energy_Wh ?? 0;
    const device_Wh = Math.max(0, mean_W / 4);
    return { import_Wh, export_Wh, device_Wh, importPrice, exportPrice: earned(at) ?? 0 };
  });
}

function sentenceOf(
  { saved, error, energy_Wh, currency, devices }: Omit<Savings, 'sentence'>,
  zone: string,
  nowMs: WallMs,
): string {
  if (saved === null || error === null || energy_Wh === null)
    return 'Nothing that waits for cheap hours has run by its last deadline, or readings or prices of it are missing.';
  const money = (value: number): string =>
    new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(value);
  const kWh = (energy_Wh / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 });
  const by = timeWords(zone, Math.max(...devices.map((d) => d.untilMs)), nowMs);
  const what = `${kWh} kWh until ${by}: against running at once, waiting`;
  const [least, most] = [saved - error, saved + error];
  const margin = `${money(Math.abs(saved))} ± ${money(error)}`;
  const why = 'depending on when it could have begun';
  if (Math.max(-least, most) < NO_MONEY) return `${what} made no difference.`;
  if (least > -NO_MONEY) return `${what} saved ${margin}, ${why}.`;
  if (most < NO_MONEY) return `${what} cost ${margin} more, ${why}.`;
  return `${what} made between ${money(-least)} more and ${money(most)} less, ${why}.`;
}
