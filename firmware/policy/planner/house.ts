/** The house as a scenario for the planner. What has to be forecast is put in where the plan is made. */

import { localMs } from '../../domain/calendar.ts';
import type { HeatStore } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { WallMs } from '../../domain/time.ts';
import { needsOutdoor } from '../comfort.ts';
import type { ForecastInput, HouseForecasts } from '../forecast/house.ts';
import type { Forecast } from '../forecast/series.ts';
import { QUARTER_MS } from '../forecast/series.ts';
import { supplied } from '../forecast/supplied.ts';
import { isControllable, isProducer } from '../plan.ts';
import { isForced } from '../rules/owner.ts';
import { carbonOf, horizonOf, peakOf, slotPrices } from './house-grid.ts';
import { limitsOf } from './house-limits.ts';
import { isRoof } from './house-modes.ts';
import { phasesBeside, phasesOf } from './house-phases.ts';
import { programOf } from './house-program.ts';
import { endMs, type HouseSlots, quarterPeriod, quartersOf, slotFrom, slotsUntil } from './house-slots.ts';
import {
  batteryOf,
  heatOf,
  laterPrice,
  plannedAs,
  powersOf,
  withOutlook,
  withWeather,
} from './house-stores.ts';
import { at, type Device, type DeviceOf, parseScenario, type Scenario } from './scenario.ts';

/** A healthy device that has something to decide, and is not told otherwise by its owner. */
export function isPlanned(image: Image, d: DeviceImage): boolean {
  const as = plannedAs(d);
  if (as === null || d.health !== 'ok' || (isForced(image, d) && as !== 'program')) return false;
  const { store } = d.flexibility;
  return store?.kind !== 'heat' || !needsOutdoor(store) || knowsOutdoor(image);
}

/**
 * What it drew in the past was by plan, price or sun, and says nothing of what the house draws besides: it is no base
 * load, whether it is planned just now or not. What it wants next is planned when it wants it. What nobody holds back
 * will go on as it did, by the hour: that is expected with the house.
 */
export const drawsAsTold = (image: Image, d: DeviceImage): boolean =>
  isControllable(d) && !isProducer(d) && (isPlanned(image, d) || !isReleased(d));

/** It runs by itself: always, by its own thermostat, or for want of anything to decide by. Not what its owner keeps off. */
function isReleased({ flexibility, mode, override }: DeviceImage): boolean {
  const { store, need, program } = flexibility;
  if (store?.kind === 'battery' || program || override.kind === 'off') return false;
  return store?.kind === 'heat' || mode === 'always' || (mode === 'cheap' && need === null);
}

const knowsOutdoor = ({ devices, signals, wallMs }: Image): boolean =>
  outdoorNow_C(devices) !== null || supplied(signals, 'temperatureForecast', wallMs, 1)[0] !== null;

/** As the first device says that measures it, °C. */
export function outdoorNow_C(devices: readonly DeviceImage[]): number | null {
  for (const { flexibility, health } of devices)
    if (flexibility.store?.kind === 'heat' && health === 'ok' && flexibility.store.outdoor_C !== null)
      return flexibility.store.outdoor_C;
  return null;
}

const SUN = 'the-sun';

/**
 * Without what has to be forecast: base load, sun and weather are 0. Null where there is nothing to plan: no price, no
 * clock, no device that waits.
 */
export function houseScenario(image: Image, slots = horizonOf(image)): Scenario | null {
  if (!image.wallTrusted) return null;
  const { fromMs, n, dt_h, spans } = slots;
  const planned = image.devices.filter((d) => isPlanned(image, d)).slice(0, LIMITS.planDevices - 1);
  if (tooShort(slots) || planned.length === 0) return null;
  const { site } = image;
  const rating_kw = (site.fuse_A * site.phases * site.nominal_V) / 1000;
  const unknown = new Array<number>(n).fill(0);
  // Of equal hours the earlier: what is done cannot go wrong any more.
  const buy = slotPrices(image, 'importPrice', slots).map((x, i) => x + i * 1e-6);
  const dearest = Math.max(0.1, ...buy.map(Math.abs));
  const devices: unknown[] = planned.map((d) => deviceOf(d, image, slots, dearest));
  const producers = image.devices.filter(isProducer);
  if (producers.length > 0)
    devices.push({ id: SUN, type: 'pv', available_kw: unknown, curtailable: producers.every(isRoof) });
  const facts = {
    id: 'house',
    start: localStart(fromMs, site.timeZone),
    ...{ n, dt_h, spans },
    grid: { import_max_kw: rating_kw, export_max_kw: rating_kw, peak: peakOf(site, slots) },
    prices: { import: buy, export: slotPrices(image, 'exportPrice', slots) },
    co2: carbonOf(image, slots),
    base_load_kw: unknown,
    t_out_c: unknown,
    events: limitsOf(image, slots),
    groups: phasesOf({ site, planned, roofs: producers, sun: SUN }, slots),
  };
  const whole = parseScenario({ ...facts, devices });
  if (whole.ok) return whole.value;
  // One device with facts that nobody can believe does not keep the others from being planned.
  const sane = devices.filter((d) => parseScenario({ ...facts, devices: [d] }).ok);
  const rest = parseScenario({ ...facts, devices: sane });
  return rest.ok && sane.length > 0 ? rest.value : null;
}

const localStart = (fromMs: WallMs, timeZone: string): string =>
  new Date(localMs(fromMs, timeZone)).toISOString().slice(0, 19);

/** There is nothing to choose from yet. */
export const tooShort = (slots: HouseSlots): boolean => endMs(slots) - slots.fromMs < 2 * QUARTER_MS;

function deviceOf(d: DeviceImage, image: Image, slots: HouseSlots, dearest: number): Device {
  const { store, program } = d.flexibility;
  if (program && d.run) return programOf(d.id, program, d.run, slots, dearest);
  if (store?.kind === 'battery') return batteryOf(d, store);
  if (store?.kind === 'heat' && store.temperature_C !== null) return heatOf(d, store, image, slots);
  return carOf(d, image, slots, dearest);
}

/** What forecasts and the past say for a scenario of the house. */
export interface Expected {
  readonly forecasts: HouseForecasts;
  /** Those that hold heat, by id. */
  readonly stores: ReadonlyMap<string, HeatStore>;
  readonly known: Pick<ForecastInput, 'peak_W' | 'quarter_W'>;
}

/** The scenario as it is expected. */
export function withForecasts(
  s: Scenario,
  slots: HouseSlots,
  { forecasts, stores, known }: Expected,
): Scenario {
  const { load, solar, heat } = forecasts;
  const quarters = quartersOf(slots);
  const kw = ({ mean }: Forecast): number[] => quarters.map((q) => at(mean, q) / 1000);
  const free_kw = Math.max(s.grid.peak?.free_kw ?? 0, (known.peak_W ?? 0) / 1000);
  const expected: Scenario = {
    ...s,
    // What this month has seen already is paid for.
    grid: {
      ...s.grid,
      peak: s.grid.peak && {
        ...s.grid.peak,
        free_kw,
        period: s.grid.peak.period && {
          ...s.grid.peak.period,
          // Unknown: as much as is free, which leaves the rest of the quarter hour as much.
          past_kwh:
            s.grid.peak.period.past_ticks *
            s.dt_h *
            (known.quarter_W === null ? free_kw : Math.max(0, known.quarter_W) / 1000),
        },
      },
    },
    base_load_kw: kw(load),
    groups: phasesBeside(s, SUN, kw(load), kw(solar)),
    t_out_c: heat?.outdoor ? quarters.map((q) => at(heat.outdoor?.mean, q)) : s.t_out_c,
    devices: [...s.devices.filter((d) => d.id !== SUN), ...sunOf(s, kw(solar))],
  };
  const devices = expected.devices.map((d) => {
    if (d.type === 'battery') return withOutlook(expected, d, load);
    if (d.type === 'appliance') return leftForLater(expected, d);
    const store = stores.get(d.id);
    return d.type === 'thermal' && store && heat ? withWeather(expected, d, store, heat, quarters) : d;
  });
  return { ...expected, devices };
}

/** What is left for a day that nobody knows costs what that is taken to cost. */
function leftForLater(s: Scenario, d: DeviceOf<'appliance'>): DeviceOf<'appliance'> {
  if (d.skip_penalty !== 0) return d;
  const energy_kwh = d.profile_kw.reduce((sum, kw) => sum + kw * s.dt_h, 0);
  return { ...d, skip_penalty: laterPrice(s) * energy_kwh };
}

/** Below it nothing has to be switched off to draw less, kW. */
const MODULATES_KW = 0.1;

/** A roof that no device speaks for cannot be turned down. */
function sunOf(s: Scenario, available_kw: number[]): Device[] {
  const said = s.devices.find((d) => d.id === SUN);
  if (said?.type === 'pv') return [{ ...said, available_kw }];
  return available_kw.some((x) => x > 0) ? [{ id: SUN, type: 'pv', available_kw, curtailable: false }] : [];
}

/**
 * Whatever wants energy by a time is a car to the planner: off, or between its least and its most in steps. Where the mean
 * of quarter hours is billed, what wants more than its least in one keeps its power for one: a plan would switch it on and
 * off again and again to come to less.
 */
function carOf(
  d: DeviceImage,
  { site }: Pick<Image, 'site'>,
  slots: HouseSlots,
  dearest: number,
): DeviceOf<'ev'> {
  const { step_W, need, steerable } = d.flexibility;
  const { min_kw, max_kw } = powersOf(d);
  const required_kwh = (need?.energy_Wh ?? 0) / 1000;
  const depart_slot = slotsUntil(slots, need?.byMs ?? slots.fromMs);
  const arrive_slot = slotFrom(slots, need?.fromMs ?? slots.fromMs);
  // What cannot be taken in parts of a slot may be taken in a whole one.
  const perSlot = (min_kw * QUARTER_MS) / 3_600_000;
  return {
    id: d.id,
    type: 'ev',
    arrive_slot,
    depart_slot,
    required_kwh,
    capacity_left_kwh: Math.ceil(required_kwh / perSlot) * perSlot + perSlot,
    min_kw,
    max_kw,
    // On or off is one step.
    step_kw: max_kw - min_kw > 1e-6 ? step_W / 1000 : max_kw,
    unserved_per_kwh: 20 * dearest,
    extra_value_per_kwh: 0,
    steerable,
    steady: site.peak && min_kw > MODULATES_KW && required_kwh > perSlot ? quarterPeriod(slots) : null,
  };
}
