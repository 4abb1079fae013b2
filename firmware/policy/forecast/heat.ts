/**
 * What heat stores meet: the temperature outdoors, and the hot water that is drawn, learnt from how a tank cools while its
 * device heats so and so much.
 */
import type { HeatStore } from '../../domain/flexibility.ts';
import type { ForecastQuality, HousePlan, TemperatureQuality } from '../../domain/house-plan.ts';
import { copAt, needsOutdoor } from '../comfort.ts';
import { HOT_WATER, type ProfileOptions, profileForecast, TEMPERATURE } from './profile.ts';
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

export interface HeatInput {
  /** °C of the last four weeks, and of now as far as a device measures it. */
  readonly outdoor: readonly Sample[];
  readonly outdoor_C: number | null;
  /** From elsewhere, by quarter hour, °C. */
  readonly supplied_C: readonly (number | null)[];
  /** With the heat drawn from it in the last four weeks, W; empty where nobody draws. */
  readonly stores: readonly {
    readonly id: string;
    readonly store: HeatStore;
    readonly draws: readonly Sample[];
  }[];
}

export interface HeatForecasts {
  /** °C; null where nothing is known. */
  readonly outdoor: Forecast | null;
  /** W by store. */
  readonly draws: Readonly<Record<string, Forecast>>;
  readonly quality: Pick<HousePlan['quality'], 'temperature' | 'hotWater'>;
}

export function heatForecasts(input: HeatInput, horizon: Horizon): HeatForecasts {
  const draws: Record<string, Forecast> = {};
  for (const { id, draws: history } of input.stores) {
    const told = profileForecast(history, horizon, HOT_WATER);
    if (told) draws[id] = positive(told);
  }
  const { forecast, quality } = outdoorForecast(input, horizon);
  const tanks = input.stores.filter((x) => x.store.what === 'tank');
  return {
    outdoor: forecast,
    draws,
    quality: {
      temperature: input.stores.some((x) => needsOutdoor(x.store)) ? quality : null,
      hotWater: tanks.length > 0 ? hotWaterQuality(tanks, horizon) : null,
    },
  };
}

function outdoorForecast(
  { outdoor, outdoor_C, supplied_C }: HeatInput,
  horizon: Horizon,
): { forecast: Forecast | null; quality: TemperatureQuality } {
  const last = outdoor.at(-1);
  const isKnown = last !== undefined && horizon.fromMs - last.atMs <= 2 * QUARTER_MS;
  const latest: Sample[] =
    outdoor_C === null || isKnown ? [] : [{ atMs: horizon.fromMs - QUARTER_MS, value: outdoor_C }];
  const history = [...outdoor, ...latest];
  const learnt = profileForecast(history, horizon, TEMPERATURE);
  const known = learnt ?? (outdoor_C === null ? null : constantly(outdoor_C, horizon.slots));
  const forecast = withSupplied(known, supplied_C, outdoor_C, horizon.slots);
  if (supplied_C.some((x) => x !== null) && forecast)
    return { forecast, quality: { source: 'supplied', meanError_C: null, bias_C: null } };
  const error = lastDay(outdoor, horizon, TEMPERATURE);
  const source = learnt ? 'history' : known ? 'latest' : 'none';
  return { forecast, quality: { source, meanError_C: error?.mean ?? null, bias_C: error?.bias ?? null } };
}

/** Nobody knows the weather by its last value: half of all days are within some degrees. */
const constantly = (value_C: number, slots: number): Forecast => {
  const { mean } = constant(value_C, slots);
  return { mean, low: mean.map((x) => x - SPREAD_C), high: mean.map((x) => x + SPREAD_C) };
};
const SPREAD_C = 6;
const SUPPLIED_SPREAD_C = 2.5;

/** Where a forecast from elsewhere covers a slot it holds, moved towards what is measured now; the last one known bridges a gap. */
function withSupplied(
  learnt: Forecast | null,
  supplied_C: readonly (number | null)[],
  outdoor_C: number | null,
  slots: number,
): Forecast | null {
  const first = supplied_C.find((x) => x !== null);
  if (first === undefined || first === null) return learnt;
  const now = supplied_C[0] ?? null;
  const error = outdoor_C === null || now === null ? 0 : outdoor_C - now;
  const out = { mean: [] as number[], low: [] as number[], high: [] as number[] };
  let before = first;
  for (let i = 0; i < slots; i++) {
    const said = supplied_C[i] ?? null;
    if (said !== null) before = said;
    const isLearnt = said === null && learnt !== null;
    const mean = isLearnt ? (learnt.mean[i] ?? before) : before + error * TEMPERATURE.fade ** i;
    out.mean.push(mean);
    out.low.push(isLearnt ? (learnt.low[i] ?? mean) : mean - SUPPLIED_SPREAD_C);
    out.high.push(isLearnt ? (learnt.high[i] ?? mean) : mean + SUPPLIED_SPREAD_C);
  }
  return out;
}

/** How the day before was told from the days before it. */
function lastDay(
  history: readonly Sample[],
  horizon: Horizon,
  options: ProfileOptions,
): ReturnType<typeof errorOf> {
  const day = { ...horizon, fromMs: horizon.fromMs - DAY_MS, slots: 96 };
  const told = profileForecast(history, day, options);
  const actual = history.filter((s) => s.atMs < horizon.fromMs);
  return told && errorOf(told, day.fromMs, actual);
}

/** Of all tanks together, the mean of each. */
function hotWaterQuality(tanks: HeatInput['stores'], horizon: Horizon): ForecastQuality {
  const errors = tanks.map((x) => lastDay(x.draws, horizon, HOT_WATER)).filter((x) => x !== null);
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
  const isLearnt = tanks.some((x) => profileForecast(x.draws, horizon, HOT_WATER) !== null);
  return {
    source: isLearnt ? 'history' : 'none',
    meanError_W: mean(errors.map((e) => e.mean)),
    bias_W: mean(errors.map((e) => e.bias)),
  };
}

/** Taken where the weather of a quarter hour is not known. */
const MILD_C = 10;

/**
 * Heat that left a tank beside its losses, W by quarter hour: what was put in less what the change of its temperature and
 * the loss account for. Single values err by what the sensor's place makes of a draw; their mean does not.
 */
export function drawsFrom(
  store: HeatStore,
  temperature: ReadonlyMap<number, number>,
  power: ReadonlyMap<number, number>,
  outdoor: ReadonlyMap<number, number>,
): Sample[] {
  return [...temperature].flatMap(([atMs, value_C]): Sample[] => {
    const [before, after] = [temperature.get(atMs - QUARTER_MS), temperature.get(atMs + QUARTER_MS)];
    const power_W = power.get(atMs);
    if (before === undefined || after === undefined || power_W === undefined) return [];
    const outdoor_C = outdoor.get(atMs) ?? MILD_C;
    const made_W = copAt(store, outdoor_C) * Math.max(0, power_W);
    const lost_W = store.loss_WPerK * (value_C - (store.ambient_C ?? outdoor_C));
    const kept_W = (store.capacity_WhPerK * (after - before)) / ((2 * QUARTER_MS) / 3_600_000);
    return [{ atMs, value: made_W - lost_W - kept_W }];
  });
}
