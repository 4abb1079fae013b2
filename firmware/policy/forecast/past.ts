/** What the store holds of this house's past, as forecasts need it: four weeks by quarter hour. */
import { instantOf, localMs } from '../../domain/calendar.ts';
import type { HeatStore } from '../../domain/flexibility.ts';
import { PRICE_SOURCE } from '../../domain/price-history.ts';
import type { SeriesStore } from '../../domain/storage.ts';
import { drawsFrom, type HeatInput } from './heat.ts';
import { type FeedInLimit, mayBeHeld } from './held.ts';
import type { ForecastInput } from './house.ts';
import { DAY_MS, QUARTER_MS, type Sample } from './series.ts';

export interface HouseSources {
  readonly series: Pick<SeriesStore, 'read'>;
  /** Id of the meter at the connection. */
  readonly gridMeter: string | null;
  /** Devices that are told what to draw, planned just now or not: that is not base load. */
  readonly asTold: readonly string[];
  readonly producers: readonly string[];
  /** Where one of them can be told to give less; absent: they give what they can. */
  readonly feedIn?: FeedInLimit;
}

/** Four weeks tell the weekdays apart. */
const HISTORY_DAYS = 28;
const READ_DAYS = 7;
/** What flows out and is less than this is no roof: meters and devices do not speak at the same moment. */
const NOTHING_W = 100;

const EXPORT_PRICES = `${PRICE_SOURCE}/exportPrice`;

type Read = (point: string) => ReadonlyMap<number, number>;
type Rows = ReturnType<SeriesStore['read']>;

/**
 * Net at the connection, minus what devices drew as they were told, plus what the roof gave: the base load; and the roof
 * itself. A roof that no device speaks for is seen by what flows out: that is then all of it that is known. W; no sun where
 * none was seen, nothing known while a roof may have been held.
 */
export function histories(sources: HouseSources, nowMs: number): { loads: Sample[]; suns: Sample[] } {
  const { series } = sources;
  const fromMs = nowMs - HISTORY_DAYS * DAY_MS;
  return loadsAndSuns(sources, (point) => quarters(series.read(point, 'quarter', fromMs, nowMs)));
}

function loadsAndSuns(
  { gridMeter, asTold, producers, feedIn }: Omit<HouseSources, 'series'>,
  read: Read,
): { loads: Sample[]; suns: Sample[] } {
  const net = netOf(gridMeter, read);
  const taken = asTold.map((id) => read(`${id}/activePower`));
  const given = producers.map((id) => read(`${id}/activePower`));
  const at = (all: readonly ReadonlyMap<number, number>[], atMs: number): number =>
    all.reduce((sum, values) => sum + (values.get(atMs) ?? 0), 0);
  const house = [...net].map(([atMs, value]) => ({ atMs, value: value - at(taken, atMs) - at(given, atMs) }));
  const kept = read(EXPORT_PRICES);
  const isHeld = (atMs: number): boolean =>
    feedIn !== undefined && mayBeHeld(-(net.get(atMs) ?? 0), feedIn(atMs, kept.get(atMs)));
  const times = new Set(given.flatMap((values) => [...values.keys()].filter((atMs) => !isHeld(atMs))));
  const seen = [...times].map((atMs) => ({ atMs, value: Math.max(0, -at(given, atMs)) }));
  const isUnheard = producers.length === 0 && house.some(({ value }) => value < -NOTHING_W);
  const suns = isUnheard ? house.map(({ atMs, value }) => ({ atMs, value: Math.max(0, -value) })) : seen;
  const loads = house.map(({ atMs, value }) => ({ atMs, value: Math.max(0, value) }));
  return { loads: loads.sort(byTime), suns: suns.sort(byTime) };
}

function netOf(gridMeter: string | null, read: Read): Map<number, number> {
  const meter = gridMeter ?? '';
  const net = new Map(read(`${meter}/activePower`));
  if (net.size > 0) return net;
  const fed = read(`${meter}/activePowerExport`);
  for (const [atMs, value] of read(`${meter}/activePowerImport`)) net.set(atMs, value - (fed.get(atMs) ?? 0));
  return net;
}

export interface PlanSources extends HouseSources {
  readonly heat: readonly { readonly id: string; readonly store: HeatStore }[];
  readonly timeZone: string;
}

export interface Past extends Pick<ForecastInput, 'loads' | 'suns' | 'peak_W' | 'quarter_W'> {
  readonly outdoor: HeatInput['outdoor'];
  readonly stores: HeatInput['stores'];
}

/**
 * All of it up to `nowMs`, when a quarter hour has begun, read week by week with room between: whoever reads has limits to
 * carry out meanwhile.
 */
export async function pastOf(sources: PlanSources, nowMs: number): Promise<Past> {
  const { series, gridMeter, asTold, producers, heat, timeZone } = sources;
  const meter = gridMeter ?? '';
  const monthMs = startOfMonth(nowMs, timeZone);
  const fromMs = Math.min(nowMs - HISTORY_DAYS * DAY_MS, monthMs);
  const rows = new Map<string, ReadonlyMap<number, number>>();
  for (const point of [
    ...['activePower', 'activePowerImport', 'activePowerExport'].map((x) => `${meter}/${x}`),
    ...[...asTold, ...producers].map((id) => `${id}/activePower`),
    EXPORT_PRICES,
    ...heat.flatMap(({ id }) => [`${id}/outdoorTemperature`, `${id}/temperature`]),
  ])
    rows.set(point, quarters(await readInParts(series, point, fromMs, nowMs)));
  const read: Read = (point) => rows.get(point) ?? new Map();
  const outdoor = heat.map(({ id }) => read(`${id}/outdoorTemperature`)).find((x) => x.size > 0) ?? new Map();
  return {
    ...loadsAndSuns(sources, read),
    peak_W: peakOf(gridMeter, read, monthMs),
    quarter_W: peakOf(
      gridMeter,
      (point) => quarters(series.read(point, 'quarter', nowMs, nowMs + QUARTER_MS)),
      nowMs,
    ),
    outdoor: [...outdoor].map(([atMs, value]) => ({ atMs, value })).sort(byTime),
    stores: heat.map(({ id, store }) => ({
      id,
      store,
      draws:
        store.what === 'tank'
          ? drawsFrom(store, read(`${id}/temperature`), read(`${id}/activePower`), outdoor).sort(byTime)
          : [],
    })),
  };
}

function startOfMonth(atMs: number, timeZone: string): number {
  const local = new Date(localMs(atMs, timeZone));
  return instantOf(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), 1), timeZone);
}

/** The highest mean import of a quarter hour, W. */
function peakOf(gridMeter: string | null, read: Read, sinceMs: number): number | null {
  const imported = read(`${gridMeter ?? ''}/activePowerImport`);
  let peak: number | null = null;
  for (const [atMs, value] of imported.size > 0 ? imported : netOf(gridMeter, read))
    if (atMs >= sinceMs) peak = Math.max(peak ?? 0, value);
  return peak;
}

async function readInParts(
  series: HouseSources['series'],
  point: string,
  fromMs: number,
  untilMs: number,
): Promise<Rows> {
  const all: Rows[number][] = [];
  for (let at = fromMs; at < untilMs; at += READ_DAYS * DAY_MS) {
    all.push(...series.read(point, 'quarter', at, Math.min(untilMs, at + READ_DAYS * DAY_MS)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return all;
}

const byTime = (a: Sample, b: Sample): number => a.atMs - b.atMs;

function quarters(rows: Rows): Map<number, number> {
  const known = new Map<number, number>();
  for (const { atMs, value } of rows)
    if (value !== null) known.set(Math.round(atMs / QUARTER_MS) * QUARTER_MS, value);
  return known;
}
