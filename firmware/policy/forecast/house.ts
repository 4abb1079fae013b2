/** The forecasts of this house from what its store holds, each with how it did on the last whole day. */
import type { ForecastQuality, HousePlan } from '../../domain/house-plan.ts';
import type { Place, Roof } from './clear-sky.ts';
import { type HeatForecasts, type HeatInput, heatForecasts } from './heat.ts';
import { LOAD, profileForecast } from './profile.ts';
import {
  constant,
  DAY_MS,
  errorOf,
  type Forecast,
  type Horizon,
  positive,
  QUARTER_MS,
  type Sample,
} from './series.ts';
import { solarForecast } from './solar.ts';

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
  /** From elsewhere, by quarter hour, W. */
  readonly suppliedSun_W: readonly (number | null)[];
  /** Null where no heat is planned. */
  readonly heat: HeatInput | null;
  /** The highest mean import of a quarter hour in this month; null where none is known. */
  readonly peak_W: number | null;
  /** The mean import of the quarter hour that is running, so far; null where none is known. */
  readonly quarter_W: number | null;
}

export interface HouseForecasts {
  /** W, import positive, without the sun and without planned devices. */
  readonly load: Forecast;
  /** W, production positive. */
  readonly solar: Forecast;
  readonly heat: HeatForecasts | null;
  /** What the last day was expected to be and what it was, by quarter hour; null where nothing is known of it. */
  readonly lastDay: LastDay | null;
  readonly quality: HousePlan['quality'];
}

/** W by quarter hour. */
export interface LastDay {
  readonly load: Told;
  readonly solar: Told;
}

export interface Told {
  readonly expected: readonly number[];
  readonly actual: readonly number[];
}

const DAY_SLOTS = 96;

export function houseForecasts(input: ForecastInput, horizon: Horizon): HouseForecasts {
  const { loads, suns, hasSun, place, roof, base_W, suppliedSun_W } = input;
  const load = profileForecast(loads, horizon, LOAD);
  const sunOf = (h: Horizon, told: readonly (number | null)[]): ReturnType<typeof solarForecast> =>
    hasSun ? solarForecast({ history: suns, horizon: h, place, roof, supplied: told }) : null;
  const solar = sunOf(horizon, suppliedSun_W);
  const day: Horizon = { ...horizon, fromMs: horizon.fromMs - DAY_MS, slots: DAY_SLOTS };
  const [loadBefore, sunBefore] = [profileForecast(loads, day, LOAD), sunOf(day, [])];
  const latest = base_W === null ? 'none' : 'latest';
  const heat = input.heat && heatForecasts(input.heat, horizon);
  return {
    load: positive(load ?? constant(base_W ?? 0, horizon.slots)),
    solar: solar ?? constant(0, horizon.slots),
    heat,
    lastDay: loadBefore && {
      load: toldOf(loadBefore, day, loads),
      solar: toldOf(sunBefore ?? constant(0, DAY_SLOTS), day, suns),
    },
    quality: {
      load: judged(load ? 'history' : latest, loadBefore, day, loads),
      // Nobody kept what was said from elsewhere a day ago.
      solar: judged(solar?.source ?? 'none', solar?.source === 'supplied' ? null : sunBefore, day, suns),
      temperature: heat?.quality.temperature ?? null,
      hotWater: heat?.quality.hotWater ?? null,
    },
  };
}

function judged(
  source: ForecastQuality['source'],
  forecast: Forecast | null,
  { fromMs }: Horizon,
  actual: readonly Sample[],
): ForecastQuality {
  const known = actual.filter((s) => s.atMs < fromMs + DAY_MS);
  const error = forecast && errorOf(forecast, fromMs, known);
  return { source, meanError_W: error?.mean ?? null, bias_W: error?.bias ?? null };
}

/** A quarter hour that nobody measured was as expected. */
function toldOf({ mean }: Forecast, { fromMs }: Horizon, history: readonly Sample[]): Told {
  const expected = mean.map((x) => Math.max(0, x));
  const actual = [...expected];
  for (const { atMs, value } of history) {
    const i = Math.round((atMs - fromMs) / QUARTER_MS);
    if (i >= 0 && i < actual.length) actual[i] = value;
  }
  return { expected, actual };
}
