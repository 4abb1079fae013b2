/** A battery in the program: one energy balance a slot, and a direction where both at once could pay. */
import { at, type DeviceOf, type DeviceSchedule, importPrice, limitAt, type Scenario } from '../scenario.ts';
import { hoursOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import { type DeviceColumns, draws, type SlotTerms } from './slot.ts';

export function battery(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'battery'>,
  slots: readonly SlotTerms[],
  directed: readonly boolean[],
): DeviceColumns {
  const charge: number[] = [];
  const discharge: number[] = [];
  const direction: [number, number][] = [];
  let before: number | null = null;
  // What it holds beyond its bounds at the start may stay, it only must not get worse.
  const low = Math.min(d.soc_min_kwh, d.soc0_kwh);
  const high = Math.max(d.soc_max_kwh, d.soc0_kwh);
  slots.forEach((slot, t) => {
    const hours = hoursOf(s, t);
    const c = lp.variable(0, 0, d.charge_max_kw);
    const x = lp.variable(hours * d.wear_per_kwh, 0, d.discharge_max_kw);
    const soc = lp.variable(t === s.n - 1 ? -d.terminal_value_per_kwh : 0, low, high);
    const change: Term[] = [
      [soc, 1],
      [c, -hours * d.eta_charge],
      [x, hours / d.eta_discharge],
    ];
    if (before !== null) lp.row([...change, [before, -1]], '=', 0);
    else lp.row(change, '=', d.soc0_kwh);
    if (directed[t]) {
      const charging = lp.binary();
      lp.onlyWith(c, d.charge_max_kw, charging);
      lp.onlyWithout(x, d.discharge_max_kw, charging);
      direction.push([t, charging]);
    }
    draws(slot, c, 1, d.charge_max_kw);
    draws(slot, x, -1, d.discharge_max_kw);
    if (d.steerable) slot.steerable.push([c, 1]);
    charge.push(c);
    discharge.push(x);
    before = soc;
  });
  lp.variable(d.terminal_value_per_kwh * d.soc0_kwh, 1, 1);
  const valuesOf = (columns: readonly number[], values: ArrayLike<number>): number[] =>
    columns.map((v) => at(values, v));
  return {
    charge,
    read: (values) => readBattery(d, valuesOf(charge, values), valuesOf(discharge, values)),
    start: (schedule) =>
      direction.map(([t, v]): Term => [v, at(schedule.charge_kw, t) > at(schedule.discharge_kw, t) ? 1 : 0]),
  };
}

/** Both directions at once become the one that leaves the same energy in the battery. */
function readBattery(
  d: DeviceOf<'battery'>,
  charge: readonly number[],
  discharge: readonly number[],
): DeviceSchedule {
  const gains = charge.map(
    (c, t) => d.eta_charge * Math.max(0, c) - Math.max(0, at(discharge, t)) / d.eta_discharge,
  );
  return {
    charge_kw: gains.map((g) => (g > 1e-7 ? Math.min(d.charge_max_kw, g / d.eta_charge) : 0)),
    discharge_kw: gains.map((g) => (g < -1e-7 ? Math.min(d.discharge_max_kw, -g * d.eta_discharge) : 0)),
  };
}

/**
 * The slots in which a battery must be told to go one way only, because burning energy may pay: there is an hour
 * ahead when stored energy is worth less than nothing, and in this slot giving it away is no better.
 */
export function directions(s: Scenario): boolean[] {
  const worthless = s.devices.some((d) => d.type === 'battery' && d.terminal_value_per_kwh < 0);
  const captive = s.devices.some((d) => d.type === 'battery' && !d.grid_discharge);
  const out = new Array<boolean>(s.n).fill(false);
  let ahead = worthless;
  for (let t = s.n - 1; t >= 0; t--) {
    const sell = at(s.prices.export, t);
    const tight = exportRoom(s, t) < 0;
    ahead ||= importPrice(s, t) < 0 || (stuckSolar(s, t) > 0 && (sell < 0 || tight));
    out[t] = ahead && (importPrice(s, t) <= 0 || sell <= 0 || tight || captive);
  }
  return out;
}

/** Solar that cannot be turned down, kW. */
const stuckSolar = (s: Scenario, t: number): number =>
  s.devices.reduce((sum, d) => sum + (d.type === 'pv' && !d.curtailable ? at(d.available_kw, t) : 0), 0);

/** What is left to the tightest export limit when everything that can feed in does, kW. */
function exportRoom(s: Scenario, t: number): number {
  let limit = s.grid.export_max_kw;
  for (const e of s.events) if (e.kind === 'export_limit') limit = Math.min(limit, limitAt(e, t) ?? limit);
  let most = stuckSolar(s, t) - at(s.base_load_kw, t);
  for (const d of s.devices) if (d.type === 'battery') most += d.discharge_max_kw;
  return limit - most;
}
