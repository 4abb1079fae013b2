/** The house as a scenario for the planner. What has to be forecast is put in where the plan is made. */

import { localMs } from '../../domain/calendar.ts';
import type { HeatStore } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { WallMs } from '../../domain/time.ts';
import { needsOutdoor } from '../comfort.ts';
import type { HouseForecasts } from '../forecast/house.ts';
import type { Forecast } from '../forecast/series.ts';
import { supplied } from '../forecast/supplied.ts';
import { isProducer } from '../plan.ts';
import { isForced } from '../rules/owner.ts';
import { carbonOf, horizonOf, limitsOf, peakOf, slotPrices } from './house-grid.ts';
import { isRoof } from './house-modes.ts';
import {
  batteryOf,
  heatOf,
  PLAN_SLOT_MS,
  plannedAs,
  powersOf,
  withOutlook,
  withWeather,
} from './house-stores.ts';
import { at, type Device, parseScenario, type Scenario } from './scenario.ts';

/** A healthy device that has something to decide, and is not told otherwise by its owner. */
export function isPlanned(image: Image, d: DeviceImage): boolean {
  if (plannedAs(d) === null || isForced(image, d) || d.health !== 'ok') return false;
  const { store } = d.flexibility;
  return store?.kind !== 'heat' || !needsOutdoor(store) || knowsOutdoor(image);
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
export function houseScenario(image: Image): Scenario | null {
  if (!image.wallTrusted) return null;
  const { fromMs, slots } = horizonOf(image);
  const planned = image.devices.filter((d) => isPlanned(image, d)).slice(0, LIMITS.planDevices - 1);
  if (slots < 2 || planned.length === 0) return null;
  const { site } = image;
  const rating_kw = (site.fuse_A * site.phases * site.nominal_V) / 1000;
  const unknown = new Array<number>(slots).fill(0);
  // Of equal hours the earlier: what is done cannot go wrong any more.
  const buy = slotPrices(image, 'importPrice', fromMs, slots).map((x, i) => (x ?? 0) + i * 1e-6);
  const dearest = Math.max(0.1, ...buy.map(Math.abs));
  const devices: unknown[] = planned.map((d) => deviceOf(d, image, fromMs, slots, dearest));
  const producers = image.devices.filter(isProducer);
  if (producers.length > 0)
    devices.push({ id: SUN, type: 'pv', available_kw: unknown, curtailable: producers.every(isRoof) });
  const facts = {
    id: 'house',
    start: localStart(fromMs, site.timeZone),
    n: slots,
    dt_h: PLAN_SLOT_MS / 3_600_000,
    grid: { import_max_kw: rating_kw, export_max_kw: rating_kw, peak: peakOf(site) },
    prices: { import: buy, export: slotPrices(image, 'exportPrice', fromMs, slots).map((x) => x ?? 0) },
    co2: carbonOf(image, fromMs, slots),
    base_load_kw: unknown,
    t_out_c: unknown,
    events: limitsOf(image, fromMs, slots),
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

function deviceOf(d: DeviceImage, image: Image, fromMs: WallMs, slots: number, dearest: number): Device {
  const { store } = d.flexibility;
  if (store?.kind === 'battery') return batteryOf(d, store);
  if (store?.kind === 'heat' && store.temperature_C !== null) return heatOf(d, store, image, fromMs, slots);
  return carOf(d, fromMs, slots, dearest);
}

/** The scenario as it is expected; `stores` are those that hold heat, by id. */
export function withForecasts(
  s: Scenario,
  { load, solar, heat }: HouseForecasts,
  stores: ReadonlyMap<string, HeatStore>,
  peak_W: number | null,
): Scenario {
  const kw = ({ mean }: Forecast): number[] => Array.from({ length: s.n }, (_, t) => at(mean, t) / 1000);
  const expected: Scenario = {
    ...s,
    // What this month has seen already is paid for.
    grid: {
      ...s.grid,
      peak: s.grid.peak && {
        ...s.grid.peak,
        free_kw: Math.max(s.grid.peak.free_kw, (peak_W ?? 0) / 1000),
      },
    },
    base_load_kw: kw(load),
    t_out_c: heat?.outdoor ? Array.from({ length: s.n }, (_, t) => at(heat.outdoor?.mean, t)) : s.t_out_c,
    devices: [...s.devices.filter((d) => d.id !== SUN), ...sunOf(s, kw(solar))],
  };
  const devices = expected.devices.map((d) => {
    if (d.type === 'battery') return withOutlook(expected, d, load);
    const store = stores.get(d.id);
    return d.type === 'thermal' && store && heat ? withWeather(expected, d, store, heat) : d;
  });
  return { ...expected, devices };
}

/** A roof that no device speaks for cannot be turned down. */
function sunOf(s: Scenario, available_kw: number[]): Device[] {
  const said = s.devices.find((d) => d.id === SUN);
  if (said?.type === 'pv') return [{ ...said, available_kw }];
  return available_kw.some((x) => x > 0) ? [{ id: SUN, type: 'pv', available_kw, curtailable: false }] : [];
}

/** Whatever wants energy by a time is a car to the planner: off, or between its least and its most in steps. */
function carOf(
  d: DeviceImage,
  fromMs: WallMs,
  slots: number,
  dearest: number,
): Extract<Device, { type: 'ev' }> {
  const { step_W, need, steerable } = d.flexibility;
  const { min_kw, max_kw } = powersOf(d);
  const required_kwh = (need?.energy_Wh ?? 0) / 1000;
  const depart_slot = Math.min(slots, Math.floor(((need?.byMs ?? fromMs) - fromMs) / PLAN_SLOT_MS));
  // What cannot be taken in halves of a slot may be taken in a whole one.
  const perSlot = (min_kw * PLAN_SLOT_MS) / 3_600_000;
  return {
    id: d.id,
    type: 'ev',
    arrive_slot: 0,
    depart_slot,
    required_kwh,
    capacity_left_kwh: Math.ceil(required_kwh / perSlot) * perSlot + perSlot,
    min_kw,
    max_kw,
    step_kw: max_kw - min_kw > 1e-6 ? step_W / 1000 : null,
    unserved_per_kwh: 20 * dearest,
    extra_value_per_kwh: 0,
    steerable,
  };
}
