/** The forecasts of this house from what its store holds, each with how it did on the last whole day. */
import type { ForecastQuality } from '../../domain/house-plan.ts';
import type { SeriesStore } from '../../domain/storage.ts';
import type { Place, Roof } from './clear-sky.ts';
import { LOAD, profileForecast } from './profile.ts';
import { constant, DAY_MS, errorOf, type Forecast, type Horizon, QUARTER_MS, type Sample } from './series.ts';
import { solarForecast } from './solar.ts';

export interface HouseSources {
  readonly series: Pick<SeriesStore, 'read'>;
  /** Id of the meter at the connection. */
  readonly gridMeter: string | null;
  /** Devices that are planned: their draw is not base load. */
  readonly planned: readonly string[];
  readonly producers: readonly string[];
}

/** What forecasts are made from. */
export interface ForecastInput {
  /** Base load and production of the last four weeks, W. */
  readonly loads: readonly Sample[];
  readonly suns: readonly Sample[];
  readonly hasSun: boolean;
  readonly place: Place | null;
  readonly roof: Roof | null;
  /** What the house draws now besides planned devices and the sun; null when the meter is stale. */
  readonly base_W: number | null;
}

export interface HouseForecasts {
  /** W, import positive, without the sun and without planned devices. */
  readonly load: Forecast;
  /** W, production positive. */
  readonly solar: Forecast;
  readonly quality: { readonly load: ForecastQuality; readonly solar: ForecastQuality };
}

/** Four weeks tell the weekdays apart. */
const HISTORY_DAYS = 28;
const READ_DAYS = 7;

export function houseForecasts(input: ForecastInput, horizon: Horizon): HouseForecasts {
  const { loads, suns, hasSun, place, roof, base_W } = input;
  const load = profileForecast(loads, horizon, LOAD);
  const sunOf = (h: Horizon): ReturnType<typeof solarForecast> =>
    hasSun ? solarForecast({ history: suns, horizon: h, place, roof }) : null;
  const solar = sunOf(horizon);
  const day: Horizon = { ...horizon, fromMs: horizon.fromMs - DAY_MS, slots: 96 };
  const judged = (
    source: ForecastQuality['source'],
    forecast: Forecast | null,
    actual: readonly Sample[],
  ): ForecastQuality => {
    const error =
      forecast &&
      errorOf(
        forecast,
        day.fromMs,
        actual.filter((s) => s.atMs < horizon.fromMs),
      );
    return { source, meanError_W: error?.mean ?? null, bias_W: error?.bias ?? null };
  };
  const latest = base_W === null ? 'none' : 'latest';
  return {
    load: positive(load ?? constant(base_W ?? 0, horizon.slots)),
    solar: solar ?? constant(0, horizon.slots),
    quality: {
      load: judged(load ? 'history' : latest, profileForecast(loads, day, LOAD), loads),
      solar: judged(solar?.source ?? 'none', sunOf(day), suns),
    },
  };
}

const positive = ({ mean, low, high }: Forecast): Forecast => {
  const cut = (values: readonly number[]): number[] => values.map((x) => Math.max(0, x));
  return { mean: cut(mean), low: cut(low), high: cut(high) };
};

/** The last four weeks. Net at the connection, minus what is planned, plus what the roof gave: the base load; and the roof itself. */
export function histories(sources: HouseSources, nowMs: number): { loads: Sample[]; suns: Sample[] } {
  const read = (point: string): Map<number, number> => quarters(sources.series, point, nowMs);
  const meter = sources.gridMeter ?? '';
  const net = read(`${meter}/activePower`);
  if (net.size === 0) {
    const fed = read(`${meter}/activePowerExport`);
    for (const [atMs, value] of read(`${meter}/activePowerImport`))
      net.set(atMs, value - (fed.get(atMs) ?? 0));
  }
  const taken = sources.planned.map((id) => read(`${id}/activePower`));
  const given = sources.producers.map((id) => read(`${id}/activePower`));
  const at = (all: readonly Map<number, number>[], atMs: number): number =>
    all.reduce((sum, values) => sum + (values.get(atMs) ?? 0), 0);
  const loads = [...net].map(([atMs, value]) => ({
    atMs,
    value: Math.max(0, value - Math.max(0, at(taken, atMs)) - at(given, atMs)),
  }));
  const times = new Set(given.flatMap((values) => [...values.keys()]));
  const suns = [...times].map((atMs) => ({ atMs, value: Math.max(0, -at(given, atMs)) }));
  return { loads: loads.sort(byTime), suns: suns.sort(byTime) };
}

/** The same, read week by week with room between: whoever reads has limits to carry out meanwhile. */
export async function historiesInParts(
  sources: HouseSources,
  nowMs: number,
): Promise<ReturnType<typeof histories>> {
  const { series, gridMeter, planned, producers } = sources;
  const meter = gridMeter ?? '';
  const grid = ['activePower', 'activePowerImport', 'activePowerExport'].map((x) => `${meter}/${x}`);
  const points = [...grid, ...[...planned, ...producers].map((id) => `${id}/activePower`)];
  const rows = new Map<string, ReturnType<SeriesStore['read']>[number][]>();
  for (const point of points) {
    const all: ReturnType<SeriesStore['read']>[number][] = [];
    for (let fromMs = nowMs - HISTORY_DAYS * DAY_MS; fromMs < nowMs; fromMs += READ_DAYS * DAY_MS) {
      all.push(...series.read(point, 'quarter', fromMs, Math.min(nowMs, fromMs + READ_DAYS * DAY_MS)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    rows.set(point, all);
  }
  return histories({ ...sources, series: { read: (point) => rows.get(point) ?? [] } }, nowMs);
}

const byTime = (a: Sample, b: Sample): number => a.atMs - b.atMs;

function quarters(series: HouseSources['series'], point: string, nowMs: number): Map<number, number> {
  const known = new Map<number, number>();
  for (const { atMs, value } of series.read(point, 'quarter', nowMs - HISTORY_DAYS * DAY_MS, nowMs))
    if (value !== null) known.set(Math.round(atMs / QUARTER_MS) * QUARTER_MS, value);
  return known;
}
