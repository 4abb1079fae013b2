/**
 * "What did control save?": the last day of each device as it was, against the same day without control, with what is
 * not known of that day as the error. Heat is not compared.
 */
import { energyHistory } from '../domain/energy-history.ts';
import { maxOf } from '../domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../domain/image.ts';
import { pricesKept } from '../domain/price-history.ts';
import type { Journal, SeriesStore } from '../domain/storage.ts';
import type { WallMs } from '../domain/time.ts';
import { moneyWords } from './phrase.ts';
import { batterySaved } from './savings-battery.ts';
import { type Quarter, savedBetween } from './savings-load.ts';
import { lastRun, programSaved } from './savings-program.ts';
import type { Savings } from './schema-history.ts';
import { dayStart, timeWords } from './zone.ts';

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
/** More quarter hours unknown than this: nothing is claimed. */
const MOST_MISSING = 0.1;
/** Rounds to nothing. */
const NO_MONEY = 0.005;

type Reader = Pick<SeriesStore, 'points' | 'read'>;
interface Records {
  readonly series: Reader;
  readonly journal: Pick<Journal, 'read'>;
}
type Row = Savings['devices'][number];

export function savingsOf(snapshot: Snapshot, { series, journal }: Records, meter: string | null): Savings {
  const { image } = snapshot;
  const { currency } = image.site;
  const devices = image.wallTrusted
    ? image.devices.flatMap((d) => rowOf(d, snapshot, { series, journal }, meter) ?? [])
    : [];
  const known = devices.filter((d) => d.saved !== null);
  const sum = (pick: (d: Row) => number | null): number | null =>
    known.length === 0 ? null : known.reduce((total, d) => total + (pick(d) ?? 0), 0);
  const total = { saved: sum((d) => d.saved), error: sum((d) => d.error) };
  return {
    ...{ currency, devices, ...total, energy_Wh: sum((d) => d.energy_Wh) },
    sentence: totalSentence(total, currency),
  };
}

/** Null for what is not steered by price or plan. */
function rowOf(
  device: DeviceImage,
  snapshot: Snapshot,
  { series, journal }: Records,
  meter: string | null,
): Row | null {
  const { site, wallMs } = snapshot.image;
  const { id, mode, flexibility } = device;
  const { name, need, store, program } = flexibility;
  if (flexibility.controlType === 'NOT_CONTROLABLE') return null;
  const row = { id, name, missing: 0, energy_Wh: null, saved: null, error: null };
  const [fromMs, untilMs] = [dayStart(site.timeZone, wallMs, -1), dayStart(site.timeZone, wallMs)];
  if (store?.kind === 'heat') {
    const sentence = 'Not compared: when its own thermostat would have heated is not known.';
    return { ...row, fromMs, untilMs, sentence };
  }
  const of = (from: WallMs, until: WallMs, saved: Compare, against: string): Row | null => {
    if (meter === null || until > wallMs) return null;
    return compared({ ...row, fromMs: from, untilMs: until }, snapshot, series, meter, saved, against);
  };
  if (store?.kind === 'battery') {
    const startFill = fillAt(series, id, fromMs);
    const saved: Compare = (quarters) => batterySaved(quarters, store, startFill);
    return of(fromMs, untilMs, saved, 'storing spare sun only');
  }
  if (program) {
    const run = mode === 'always' ? null : lastRun(journal, id, fromMs);
    if (run === null) return null;
    const startMs = quarterOf(run.askedMs);
    return of(startMs, quarterOf(run.endedMs) + QUARTER_MS, programSaved, 'starting when you asked for it');
  }
  if (mode !== 'cheap' || need === null) return null;
  const deadlineMs = quarterOf(need.byMs - DAY_MS);
  const begunMs = need.fromMs === undefined ? deadlineMs - DAY_MS : quarterOf(need.fromMs - DAY_MS);
  const saved: Compare = (quarters) => savedBetween(quarters.map(drawn), maxOf(flexibility) / 4);
  return of(begunMs, deadlineMs, saved, 'running at once, depending on when it could have begun');
}

const quarterOf = (atMs: WallMs): WallMs => Math.floor(atMs / QUARTER_MS) * QUARTER_MS;

const drawn = (q: Quarter): Quarter => ({ ...q, device_Wh: Math.max(0, q.device_Wh) });

type Compare = (quarters: readonly Quarter[]) => [number, number] | null;

/** How full a battery was, 0 to 1; null where that is not stored. */
function fillAt(series: Reader, id: string, atMs: WallMs): number | null {
  const [row] = series.read(`${id}/stateOfCharge`, 'quarter', atMs, atMs + QUARTER_MS);
  return row?.value == null ? null : row.value / 100;
}

function compared(
  row: Omit<Row, 'sentence'>,
  snapshot: Snapshot,
  series: Reader,
  meter: string,
  saved: Compare,
  against: string,
): Row {
  const { site, wallMs } = snapshot.image;
  const all = quartersOf(row.id, snapshot, series, meter, row.fromMs, row.untilMs);
  const quarters = all.filter((q) => q !== null);
  const missing = all.length - quarters.length;
  const isKnown = all.length > 0 && missing <= MOST_MISSING * all.length;
  const range = isKnown ? saved(quarters) : null;
  const facts = {
    ...row,
    missing,
    energy_Wh: isKnown ? quarters.reduce((sum, q) => sum + Math.max(0, q.device_Wh), 0) : null,
    saved: range && (range[0] + range[1]) / 2,
    error: range && (range[1] - range[0]) / 2,
  };
  const by = timeWords(site.timeZone, row.untilMs, wallMs);
  return { ...facts, sentence: rowSentence(facts, site.currency, by, against) };
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
  const price = pricesKept(series, snapshot.image, 'importPrice', fromMs, untilMs);
  const earned = pricesKept(series, snapshot.image, 'exportPrice', fromMs, untilMs);
  return bought.map(({ fromMs: at, energy_Wh: import_Wh }, i) => {
    const [mean_W, importPrice] = [power_W.get(at) ?? null, price(at)];
    if (import_Wh === null || mean_W === null || importPrice === null) return null;
    const export_Wh = sold[i]?.energy_Wh ?? 0;
    return { import_Wh, export_Wh, device_Wh: mean_W / 4, importPrice, exportPrice: earned(at) ?? 0 };
  });
}

type Sum = Pick<Savings, 'saved' | 'error'>;

/** `saved €0.60 ± €0.20`; the least and the most where not even the sign is sure. */
function verdict({ saved, error }: { saved: number; error: number }, currency: string): string {
  const money = (value: number): string => moneyWords(value, currency);
  const [least, most] = [saved - error, saved + error];
  if (Math.max(-least, most) < NO_MONEY) return 'made no difference';
  if (least > -NO_MONEY) return `saved ${money(saved)} ± ${money(error)}`;
  if (most < NO_MONEY) return `cost ${money(-saved)} ± ${money(error)} more`;
  return `cost between ${money(-least)} more and ${money(most)} less`;
}

function rowSentence(row: Omit<Row, 'sentence'>, currency: string, by: string, against: string): string {
  const { saved, error, energy_Wh } = row;
  if (energy_Wh === null) return `Until ${by} readings or prices are missing: nothing can be said.`;
  if (saved === null || error === null) return `Until ${by} it took nothing.`;
  const kWh = (energy_Wh / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 });
  return `${kWh} kWh until ${by}: ${verdict({ saved, error }, currency)} against ${against}.`;
}

function totalSentence({ saved, error }: Sum, currency: string): string {
  if (saved === null || error === null)
    return 'What control saved is not known yet: nothing that waits for cheap hours has run through its last day, or readings or prices of it are missing.';
  return `Against the same day without it, control ${verdict({ saved, error }, currency)}.`;
}
