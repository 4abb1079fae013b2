/**
 * What a schedule does and costs, computed slot by slot from the problem's own definition. It knows nothing of how
 * the schedule was found: every plan passes here before it is used.
 */
import { highestMean } from './billing.ts';
import { groupsOf, shareOf } from './groups.ts';
import {
  ambientAt,
  at,
  type Device,
  type DeviceOf,
  type DeviceSchedule,
  type Group,
  importPrice,
  isWindow,
  limitAt,
  type PlanEvent,
  type Scenario,
  type Schedule,
} from './scenario.ts';
import { cycle, hoursOf, lateBy, netPower, spanOf, steadyRanges, windowEnergy } from './slots.ts';

/** 1 W, 2 Wh, 0.01 K. Below 1 W a device counts as off. */
export const TOLERANCE = { kw: 1e-3, kwh: 2e-3, kelvin: 1e-2 } as const;

export interface Violation {
  readonly rule: string;
  /** Device, event or `grid`. */
  readonly where: string;
  readonly slot: number | null;
  /** How far beyond, in the rule's unit. */
  readonly amount: number;
}

export interface Evaluation {
  readonly feasible: boolean;
  readonly cost: number;
  readonly violations: readonly Violation[];
  readonly import_kw: Float64Array;
  readonly export_kw: Float64Array;
}

interface Sums {
  readonly draw: Float64Array;
  readonly supply: Float64Array;
  readonly pv: Float64Array;
  readonly steerable: Float64Array;
  cost: number;
  readonly violations: Violation[];
}

export function evaluate(s: Scenario, schedule: Schedule): Evaluation {
  const zero = (): Float64Array => new Float64Array(s.n);
  const sums: Sums = {
    draw: Float64Array.from(s.base_load_kw),
    supply: zero(),
    pv: zero(),
    steerable: zero(),
    cost: 0,
    violations: [],
  };
  for (const d of s.devices) device(s, d, schedule[d.id] ?? {}, sums);
  const import_kw = zero();
  const export_kw = zero();
  grid(s, sums, import_kw, export_kw);
  batteryDirection(s, schedule, sums, export_kw);
  for (const e of s.events) event(s, e, sums, import_kw, export_kw);
  for (const g of groupsOf(s)) group(s, g, schedule, sums);
  if (!Number.isFinite(sums.cost))
    sums.violations.push({ rule: 'not_a_number', where: 'cost', slot: null, amount: 1 });
  return {
    feasible: sums.violations.length === 0,
    cost: sums.cost,
    violations: sums.violations,
    import_kw,
    export_kw,
  };
}

/** Adds a violation when `amount` is above the tolerance; a value that is no number is one as well. */
function check(
  sums: Sums,
  rule: string,
  where: string,
  slot: number | null,
  amount: number,
  tolerance: number = TOLERANCE.kw,
): void {
  if (!(amount <= tolerance)) sums.violations.push({ rule, where, slot, amount });
}

function device(s: Scenario, d: Device, p: DeviceSchedule, sums: Sums): void {
  if (d.type === 'pv') solar(s, d, p, sums);
  else if (d.type === 'battery') battery(s, d, p, sums);
  else if (d.type === 'ev') car(s, d, p, sums);
  else if (d.type === 'thermal') heat(s, d, p, sums);
  else if (d.type === 'appliance') appliance(s, d, p, sums);
  else curtailable(s, d, p, sums);
}

function solar(s: Scenario, d: DeviceOf<'pv'>, p: DeviceSchedule, sums: Sums): void {
  for (let t = 0; t < s.n; t++) {
    const available = at(d.available_kw, t);
    const used = p.used_kw ? at(p.used_kw, t) : available;
    check(sums, 'negative', d.id, t, -used);
    check(sums, 'pv_over', d.id, t, used - available);
    if (!d.curtailable) check(sums, 'pv_not_curtailable', d.id, t, available - used);
    sums.supply[t] = at(sums.supply, t) + used;
    sums.pv[t] = at(sums.pv, t) + used;
  }
}

function battery(s: Scenario, d: DeviceOf<'battery'>, p: DeviceSchedule, sums: Sums): void {
  let soc = d.soc0_kwh;
  for (let t = 0; t < s.n; t++) {
    const charge = at(p.charge_kw, t);
    const discharge = at(p.discharge_kw, t);
    check(sums, 'negative', d.id, t, Math.max(-charge, -discharge));
    check(sums, 'battery_power', d.id, t, Math.max(charge - d.charge_max_kw, discharge - d.discharge_max_kw));
    check(sums, 'battery_both', d.id, t, Math.min(charge, discharge));
    soc += hoursOf(s, t) * (d.eta_charge * charge - discharge / d.eta_discharge);
    check(sums, 'soc_low', d.id, t, d.soc_min_kwh - soc, TOLERANCE.kwh);
    check(sums, 'soc_high', d.id, t, soc - d.soc_max_kwh, TOLERANCE.kwh);
    sums.draw[t] = at(sums.draw, t) + charge;
    sums.supply[t] = at(sums.supply, t) + discharge;
    if (d.steerable) sums.steerable[t] = at(sums.steerable, t) + charge;
    sums.cost += hoursOf(s, t) * discharge * d.wear_per_kwh;
  }
  sums.cost -= d.terminal_value_per_kwh * (soc - d.soc0_kwh);
}

function car(s: Scenario, d: DeviceOf<'ev'>, p: DeviceSchedule, sums: Sums): void {
  let delivered = 0;
  for (let t = 0; t < s.n; t++) {
    const power = at(p.power_kw, t);
    check(sums, 'negative', d.id, t, -power);
    if (!(power <= TOLERANCE.kw)) {
      if (t < d.arrive_slot || t >= d.depart_slot) check(sums, 'ev_absent', d.id, t, power);
      check(sums, 'ev_below_min', d.id, t, d.min_kw - power);
      check(sums, 'ev_power', d.id, t, power - d.max_kw);
      if (d.step_kw)
        check(sums, 'ev_step', d.id, t, Math.abs(power - Math.round(power / d.step_kw) * d.step_kw));
    }
    delivered += hoursOf(s, t) * power;
    sums.draw[t] = at(sums.draw, t) + power;
    if (d.steerable) sums.steerable[t] = at(sums.steerable, t) + power;
  }
  for (const { from, until } of steadyRanges(s, d))
    for (let t = from + 1; t < until; t++)
      check(sums, 'ev_unsteady', d.id, t, Math.abs(at(p.power_kw, t) - at(p.power_kw, from)));
  check(sums, 'ev_overfull', d.id, null, delivered - d.capacity_left_kwh, TOLERANCE.kwh);
  sums.cost += Math.max(0, d.required_kwh - delivered) * d.unserved_per_kwh;
  sums.cost -= Math.max(0, delivered - d.required_kwh) * d.extra_value_per_kwh;
}

/** The temperature a slot later (°C), from `t_c` at the start of slot `t` with `power_kw` in it. */
export function nextTemperature(
  s: Scenario,
  d: DeviceOf<'thermal'>,
  t: number,
  t_c: number,
  power_kw: number,
): number {
  const flow =
    at(d.cop, t) * power_kw +
    at(d.gain_kw, t) -
    at(d.draw_kw, t) -
    d.ua_kw_per_k * (t_c - ambientAt(s, d, t));
  return t_c + (hoursOf(s, t) / d.c_kwh_per_k) * flow;
}

/** Cost of having `t_c` at the end of slot `t`. */
export function discomfort(s: Scenario, d: DeviceOf<'thermal'>, t: number, t_c: number): number {
  const outside = Math.max(0, at(d.lo_c, t) - t_c) + Math.max(0, t_c - at(d.hi_c, t));
  return hoursOf(s, t) * d.discomfort_per_kh * outside;
}

/** Worth of the heat (or cold) left at the end, as a cost. */
export function terminalHeat(s: Scenario, d: DeviceOf<'thermal'>, t_c: number): number {
  const value = d.terminal_value_per_k;
  const useful = (x: number): number =>
    value >= 0 ? Math.min(x, at(d.hi_c, s.n - 1)) : Math.max(x, at(d.lo_c, s.n - 1));
  return -value * (useful(t_c) - useful(d.t0_c));
}

function heat(s: Scenario, d: DeviceOf<'thermal'>, p: DeviceSchedule, sums: Sums): void {
  let t_c = d.t0_c;
  let on = d.init_on;
  let run = d.init_slots;
  for (let t = 0; t < s.n; t++) {
    const power = at(p.power_kw, t);
    check(sums, 'negative', d.id, t, -power);
    check(sums, 'thermal_power', d.id, t, power - d.max_kw);
    if (power > TOLERANCE.kw) check(sums, 'thermal_below_min', d.id, t, d.min_kw - power);
    t_c = nextTemperature(s, d, t, t_c, power);
    sums.cost += discomfort(s, d, t, t_c);
    if (typeof d.hard_max_c === 'number')
      check(sums, 'over_temperature', d.id, t, t_c - d.hard_max_c, TOLERANCE.kelvin);
    if (typeof d.hard_min_c === 'number')
      check(sums, 'under_temperature', d.id, t, d.hard_min_c - t_c, TOLERANCE.kelvin);
    if (power > TOLERANCE.kw !== on) {
      check(
        sums,
        on ? 'min_on_time' : 'min_off_time',
        d.id,
        t,
        (on ? d.min_on_slots : d.min_off_slots) - run,
        0,
      );
      on = !on;
      run = 0;
    }
    run += spanOf(s, t);
    sums.draw[t] = at(sums.draw, t) + power;
    if (d.steerable) sums.steerable[t] = at(sums.steerable, t) + power;
  }
  sums.cost += terminalHeat(s, d, t_c);
}

function appliance(s: Scenario, d: DeviceOf<'appliance'>, p: DeviceSchedule, sums: Sums): void {
  const start = p.start;
  if (start === undefined || start === null) {
    if (typeof d.skip_penalty === 'number') sums.cost += d.skip_penalty;
    else check(sums, 'appliance_not_run', d.id, null, 1);
    return;
  }
  check(sums, 'appliance_start', d.id, start, Number.isInteger(start) ? d.earliest_slot - start : 1, 0);
  check(sums, 'appliance_late', d.id, start, lateBy(s, d, start), 0);
  cycle(s, d, start).forEach((power, t) => {
    sums.draw[t] = at(sums.draw, t) + power;
  });
}

function curtailable(s: Scenario, d: DeviceOf<'curtailable'>, p: DeviceSchedule, sums: Sums): void {
  let energy = 0;
  for (let t = 0; t < s.n; t++) {
    const cut = at(p.curtailed_kw, t);
    check(sums, 'negative', d.id, t, -cut);
    check(sums, 'curtail_over', d.id, t, cut - at(d.demand_kw, t) * d.max_fraction);
    energy += hoursOf(s, t) * cut;
    sums.draw[t] = at(sums.draw, t) + at(d.demand_kw, t) - cut;
  }
  sums.cost += energy * d.penalty_per_kwh;
  if (typeof d.max_kwh === 'number')
    check(sums, 'curtail_energy', d.id, null, energy - d.max_kwh, TOLERANCE.kwh);
}

function grid(s: Scenario, sums: Sums, import_kw: Float64Array, export_kw: Float64Array): void {
  for (let t = 0; t < s.n; t++) {
    const net = at(sums.draw, t) - at(sums.supply, t);
    const taken = Math.max(0, net);
    const fed = Math.max(0, -net);
    import_kw[t] = taken;
    export_kw[t] = fed;
    check(sums, 'grid_import', 'grid', t, taken - s.grid.import_max_kw);
    check(sums, 'grid_export', 'grid', t, fed - s.grid.export_max_kw);
    sums.cost += hoursOf(s, t) * (taken * importPrice(s, t) - fed * at(s.prices.export, t));
  }
  if (s.grid.peak)
    sums.cost += s.grid.peak.price_per_kw * Math.max(0, highestMean(s, import_kw) - s.grid.peak.free_kw);
}

function batteryDirection(s: Scenario, schedule: Schedule, sums: Sums, export_kw: Float64Array): void {
  for (const d of s.devices) {
    if (d.type !== 'battery') continue;
    for (let t = 0; t < s.n; t++) {
      const pv = at(sums.pv, t);
      if (!d.grid_charge) check(sums, 'battery_grid_charge', d.id, t, at(schedule[d.id]?.charge_kw, t) - pv);
      if (!d.grid_discharge) check(sums, 'battery_grid_discharge', d.id, t, at(export_kw, t) - pv);
    }
  }
}

function event(
  s: Scenario,
  e: PlanEvent,
  sums: Sums,
  import_kw: Float64Array,
  export_kw: Float64Array,
): void {
  let energy = 0;
  for (let t = e.start; t < e.end; t++) energy += hoursOf(s, t) * at(import_kw, t);
  const beyond = (slot: number | null, excess: number, hours: number, tolerance: number): void => {
    if (e.hard) check(sums, e.kind, e.id, slot, excess, tolerance);
    else sums.cost += Math.max(0, excess) * hours * (e.penalty_per_kwh ?? 0);
  };
  if (e.kind === 'incentive') {
    sums.cost -= (e.reward_per_kwh ?? 0) * Math.max(0, windowEnergy(s, e) - energy);
  } else if (isWindow(e)) {
    beyond(null, energy - Math.max(0, windowEnergy(s, e)), 1, TOLERANCE.kwh);
  } else {
    for (let t = e.start; t < e.end; t++) {
      const taken = at(import_kw, t);
      const what =
        e.kind === 'export_limit'
          ? at(export_kw, t)
          : e.kind === 'steerable_limit'
            ? Math.min(at(sums.steerable, t), taken)
            : taken;
      beyond(t, what - (limitAt(e, t) ?? 0), hoursOf(s, t), TOLERANCE.kw);
    }
  }
}

function group(s: Scenario, g: Group, schedule: Schedule, sums: Sums): void {
  const drawn = new Float64Array(s.n);
  for (const d of s.devices) {
    const share = shareOf(g, d);
    if (share === 0) continue;
    netPower(s, d, schedule[d.id] ?? {}).forEach((power, t) => {
      drawn[t] = at(drawn, t) + share * power;
    });
  }
  drawn.forEach((power, t) => {
    check(sums, 'group_limit', g.id, t, power - at(g.limit_kw, t));
  });
}

/** One figure for how far a schedule is beyond its limits; 0 is within. Of two impossible plans the smaller is used. */
export const beyondLimits = (evaluation: Evaluation): number =>
  evaluation.violations.reduce((sum, v) => sum + (Number.isFinite(v.amount) ? v.amount : 1e6), 0);

/** Whether `a` is the better plan: fewer and smaller violations first, then cost. */
export function isBetter(a: Evaluation, b: Evaluation): boolean {
  if (a.feasible !== b.feasible) return a.feasible;
  if (a.feasible) return a.cost < b.cost;
  const [x, y] = [beyondLimits(a), beyondLimits(b)];
  return Math.abs(x - y) > 1e-9 ? x < y : a.cost < b.cost;
}
