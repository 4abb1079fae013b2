/** Today's energy from the meter's registers, and what it cost at the prices of each slot. */
import { registersOf } from '../domain/energy-history.ts';
import type { Snapshot } from '../domain/image.ts';
import type { SeriesStore } from '../domain/storage.ts';
import type { WallMs } from '../domain/time.ts';
import { meanPrice } from './prices.ts';
import type { Today } from './schema.ts';
import { dayStart } from './zone.ts';

const QUARTER_MS = 15 * 60_000;
const LOOK_BACK_MS = 86_400_000;
/** A day that starts with a reading within this of midnight is complete. */
const COMPLETE_MS = 2 * QUARTER_MS;

interface Sample {
  readonly atMs: WallMs;
  readonly value: number;
}

/** Register readings around today, oldest first: the last of each quarter, then as received since the last full one. */
function samples(series: SeriesStore, point: string, fromMs: WallMs, nowMs: WallMs): Sample[] {
  const out: Sample[] = [];
  const add = (atMs: WallMs, value: number | null): void => {
    if (value !== null && atMs > (out.at(-1)?.atMs ?? -Infinity)) out.push({ atMs, value });
  };
  for (const row of series.read(point, 'quarter', fromMs - LOOK_BACK_MS, nowMs)) {
    if (row.atMs + QUARTER_MS <= nowMs) add(row.atMs + QUARTER_MS, row.value);
  }
  const rawFrom = Math.max(out.at(-1)?.atMs ?? 0, fromMs - QUARTER_MS);
  for (const row of series.read(point, 'raw', rawFrom, nowMs + 1)) add(row.atMs, row.value);
  return out;
}

interface Flow {
  readonly energy_Wh: number | null;
  readonly money: number | null;
  readonly unpriced_Wh: number;
  readonly sinceMs: WallMs | null;
}

type Pricing = (fromMs: WallMs, untilMs: WallMs) => number | null;

/** Adds up what a register rose by today. A register that falls (a new meter) starts again from there. */
export function flowOf(readings: readonly Sample[], fromMs: WallMs, price: Pricing): Flow {
  const first = Math.max(
    0,
    readings.findLastIndex((sample) => sample.atMs <= fromMs),
  );
  const start = readings[first];
  if (start === undefined) return { energy_Wh: null, money: null, unpriced_Wh: 0, sinceMs: null };
  let energy_Wh = 0;
  let money = 0;
  let unpriced_Wh = 0;
  let before = start;
  for (const sample of readings.slice(first + 1)) {
    const span = sample.atMs - before.atMs;
    // The reading before midnight may be older than midnight: only the part of the rise after it is today's.
    const share = before.atMs < fromMs ? (sample.atMs - fromMs) / span : 1;
    const rise = Math.max(0, sample.value - before.value) * share;
    const paid = price(Math.max(before.atMs, fromMs), sample.atMs);
    energy_Wh += rise;
    if (paid === null) unpriced_Wh += rise;
    else money += rise * paid;
    before = sample;
  }
  const priced = energy_Wh === 0 || unpriced_Wh < energy_Wh;
  return { energy_Wh, money: priced ? money : null, unpriced_Wh, sinceMs: Math.max(start.atMs, fromMs) };
}

function sum(flows: readonly Flow[]): Flow {
  const known = flows.filter((flow) => flow.energy_Wh !== null);
  if (known.length === 0) return { energy_Wh: null, money: null, unpriced_Wh: 0, sinceMs: null };
  const add = (pick: (flow: Flow) => number): number => known.reduce((total, flow) => total + pick(flow), 0);
  const energy_Wh = add((flow) => flow.energy_Wh ?? 0);
  const unpriced_Wh = add((flow) => flow.unpriced_Wh);
  return {
    // A register that stands still costs nothing, and does not price the one beside it.
    ...{ energy_Wh, unpriced_Wh },
    money: energy_Wh > 0 && unpriced_Wh >= energy_Wh ? null : add((flow) => flow.money ?? 0),
    sinceMs: Math.max(...known.map((flow) => flow.sinceMs ?? 0)),
  };
}

export function todayOf(snapshot: Snapshot, series: SeriesStore, meter: string | null): Today {
  const { site, signals, wallMs } = snapshot.image;
  const fromMs = dayStart(site.timeZone, wallMs);
  const read = (quantity: string, kind: 'importPrice' | 'exportPrice'): Flow =>
    sum(
      (meter === null ? [] : registersOf(series.points(), meter, quantity)).map((point) =>
        flowOf(samples(series, point, fromMs, wallMs), fromMs, (from, until) =>
          meanPrice(signals, kind, site, from, until),
        ),
      ),
    );
  const imported = read('activeEnergyImport', 'importPrice');
  const exported = read('activeEnergyExport', 'exportPrice');
  const sinceMs = imported.sinceMs ?? exported.sinceMs ?? fromMs;
  const cost = imported.money === null ? null : imported.money - (exported.money ?? 0);
  return {
    fromMs: sinceMs,
    untilMs: wallMs,
    complete: imported.energy_Wh !== null && sinceMs - fromMs <= COMPLETE_MS,
    import_Wh: imported.energy_Wh,
    export_Wh: exported.energy_Wh,
    cost,
    importCost: imported.money,
    exportIncome: exported.money,
    unpriced_Wh: imported.unpriced_Wh + exported.unpriced_Wh,
    currency: site.currency,
  };
}
