/** Prices over time from the signals in hand, and what is planned when. Currency per Wh inside, per kWh outside. */
import type { Site, Snapshot } from '../domain/image.ts';
import type { Signal } from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';
import type { Prices } from './schema.ts';
import { dayStart } from './zone.ts';

type PriceKind = 'importPrice' | 'exportPrice';

/** A slot per quarter of an hour and signal would be more than any curve can show. */
const MOST_SLOTS = 400;

/** Strongest first: lowest priority number, then the newest. */
function strongest(signals: readonly Signal[], kind: PriceKind): Signal[] {
  return signals
    .filter((signal) => signal.kind === kind)
    .sort((a, b) => a.priority - b.priority || b.modifiedMs - a.modifiedMs);
}

function priceIn(ordered: readonly Signal[], atMs: WallMs): number | null {
  for (const signal of ordered) {
    const interval = signal.intervals.find((slot) => slot.fromMs <= atMs && atMs < slot.untilMs);
    if (interval && interval.value !== null) return interval.value;
  }
  return null;
}

/** Price at an instant in currency per Wh: of the strongest signal that covers it, else the fixed one, else null. */
export function priceAt(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
  atMs: WallMs,
): number | null {
  const fixed = kind === 'importPrice' ? site.fixedImportPrice : site.fixedExportPrice;
  return priceIn(strongest(signals, kind), atMs) ?? fixed;
}

/** Mean price over [fromMs, untilMs), by time; null as soon as a part of it has no price. */
export function meanPrice(
  signals: readonly Signal[],
  kind: PriceKind,
  site: Site,
  fromMs: WallMs,
  untilMs: WallMs,
): number | null {
  const ordered = strongest(signals, kind);
  const fixed = kind === 'importPrice' ? site.fixedImportPrice : site.fixedExportPrice;
  const edges = edgesOf(ordered, fromMs, untilMs);
  let sum = 0;
  for (const [index, edge] of edges.slice(0, -1).entries()) {
    const price = priceIn(ordered, edge) ?? fixed;
    if (price === null) return null;
    sum += price * ((edges[index + 1] ?? untilMs) - edge);
  }
  return untilMs > fromMs ? sum / (untilMs - fromMs) : null;
}

function edgesOf(signals: readonly Signal[], fromMs: WallMs, untilMs: WallMs): number[] {
  const edges = new Set([fromMs, untilMs]);
  for (const { intervals } of signals) {
    for (const slot of intervals) {
      if (slot.fromMs > fromMs && slot.fromMs < untilMs) edges.add(slot.fromMs);
      if (slot.untilMs > fromMs && slot.untilMs < untilMs) edges.add(slot.untilMs);
    }
  }
  return [...edges].sort((a, b) => a - b);
}

const perKWh = (price: number | null): number | null => (price === null ? null : price * 1000);

/** The curve from the start of today to the end of tomorrow, as far as prices are known. */
export function pricesOf(snapshot: Snapshot): Prices {
  const { image, decision } = snapshot;
  const { site, signals, wallMs } = image;
  const importing = strongest(signals, 'importPrice');
  const exporting = strongest(signals, 'exportPrice');
  const fromMs = dayStart(site.timeZone, wallMs);
  const edges = edgesOf([...importing, ...exporting], fromMs, dayStart(site.timeZone, wallMs, 2));
  const slots: Prices['slots'] = [];
  for (const [index, from] of edges.slice(0, -1).entries()) {
    if (slots.length >= MOST_SLOTS) break;
    slots.push({
      fromMs: from,
      untilMs: edges[index + 1] ?? from,
      import: perKWh(priceIn(importing, from) ?? site.fixedImportPrice),
      export: perKWh(priceIn(exporting, from) ?? site.fixedExportPrice),
    });
  }
  const known = slots.findLastIndex((slot) => slot.import !== null || slot.export !== null);
  const planned = (decision?.devices ?? [])
    .filter((device) => device.planned.length > 0)
    .map((device) => ({
      id: device.resource,
      name: image.devices.find((d) => d.id === device.resource)?.flexibility.name ?? device.resource,
      slots: device.planned.map((slot) => ({ ...slot })),
    }));
  return { currency: site.currency, nowMs: wallMs, slots: slots.slice(0, known + 1), planned };
}
