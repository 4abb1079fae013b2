/** Energy from and to the grid of past days, and what it cost: per quarter hour or per day. */
import { type EnergySlot, energyHistory } from '../domain/energy-history.ts';
import type { Snapshot } from '../domain/image.ts';
import { PRICE_SOURCE, type PriceKind, priceFinder } from '../domain/price-curve.ts';
import type { SeriesStore } from '../domain/storage.ts';
import type { WallMs } from '../domain/time.ts';
import type { EnergyDays } from './schema.ts';
import { dayStart } from './zone.ts';

type Reader = Pick<SeriesStore, 'points' | 'read'>;
type Row = EnergyDays['slots'][number];

/** Price of a quarter hour in currency per Wh: as it was kept, else as it is known now, else the contract's. */
export function pricesKept(
  series: Reader,
  { image: { signals, site } }: Snapshot,
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

/** @param per what a slot of the answer is; an ongoing quarter hour is not whole and left out */
export function energyDays(
  snapshot: Snapshot,
  series: Reader,
  meter: string | null,
  range: { readonly dayMs: WallMs; readonly days: number; readonly per: 'quarter' | 'day' },
): EnergyDays {
  const { site, wallMs } = snapshot.image;
  const fromMs = dayStart(site.timeZone, range.dayMs);
  const untilMs = dayStart(site.timeZone, range.dayMs, range.days);
  const quarters = quartersOf(snapshot, series, meter, fromMs, Math.min(untilMs, Math.max(wallMs, fromMs)));
  const slots =
    range.per === 'quarter'
      ? quarters
      : Array.from({ length: range.days }, (_, day) => {
          const from = dayStart(site.timeZone, fromMs, day);
          const until = dayStart(site.timeZone, fromMs, day + 1);
          return summed(
            quarters.filter((q) => q.fromMs >= from && q.fromMs < until),
            from,
            until,
          );
        });
  return {
    currency: site.currency,
    fromMs,
    untilMs,
    slots,
    total: summed(quarters, fromMs, untilMs),
  };
}

function quartersOf(
  snapshot: Snapshot,
  series: Reader,
  meter: string | null,
  fromMs: WallMs,
  untilMs: WallMs,
): Row[] {
  if (meter === null) return [];
  const read = (quantity: 'activeEnergyImport' | 'activeEnergyExport'): EnergySlot[] =>
    energyHistory(series, meter, quantity, fromMs, untilMs);
  const [bought, sold] = [read('activeEnergyImport'), read('activeEnergyExport')];
  const importPrice = pricesKept(series, snapshot, 'importPrice', fromMs, untilMs);
  const exportPrice = pricesKept(series, snapshot, 'exportPrice', fromMs, untilMs);
  return bought.map(({ fromMs: from, untilMs: until, energy_Wh, spread }, index) => {
    const export_Wh = sold[index]?.energy_Wh ?? null;
    const paid = worth(energy_Wh, importPrice(from));
    // What is fed in for no known price earns nothing, as in the cost of today.
    const earned = worth(export_Wh, exportPrice(from)) ?? 0;
    return {
      ...{ fromMs: from, untilMs: until, import_Wh: energy_Wh, export_Wh },
      cost: paid === null ? null : paid - earned,
      unpriced_Wh: paid === null ? (energy_Wh ?? 0) : 0,
      missing: energy_Wh === null ? 1 : 0,
      spread: spread || (sold[index]?.spread ?? false),
    };
  });
}

/** Nothing costs nothing, whatever the price. */
const worth = (energy_Wh: number | null, price: number | null): number | null =>
  energy_Wh === 0 ? 0 : energy_Wh === null || price === null ? null : energy_Wh * price;

/** Of what is known; null where nothing is. */
function summed(rows: readonly Row[], fromMs: WallMs, untilMs: WallMs): Row {
  const add = (pick: (row: Row) => number | null): number | null => {
    const known = rows.map(pick).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  };
  return {
    ...{ fromMs, untilMs },
    import_Wh: add((row) => row.import_Wh),
    export_Wh: add((row) => row.export_Wh),
    cost: add((row) => row.cost),
    unpriced_Wh: add((row) => row.unpriced_Wh) ?? 0,
    missing: add((row) => row.missing) ?? 0,
    spread: rows.some((row) => row.spread),
  };
}
