/**
 * A scenario's slots in time. Most have one length (`dt_h`); where `spans` says otherwise, a slot is so many `dt_h` long,
 * and what counts time in slots (minimum times, the profile of a cycle) counts `dt_h`: called ticks here.
 */
import {
  at,
  type Device,
  type DeviceOf,
  type DeviceSchedule,
  limitAt,
  type Period,
  type PlanEvent,
  type Scenario,
} from './scenario.ts';

/** What of a scenario tells time. */
export type Slots = Pick<Scenario, 'n' | 'dt_h' | 'spans'>;

export const spanOf = ({ spans }: Slots, t: number): number => spans?.[t] ?? 1;
export const hoursOf = (s: Slots, t: number): number => s.dt_h * spanOf(s, t);

const begins = new WeakMap<readonly number[], Int32Array>();

/** Ticks from the start of the horizon to the start of slot `t`; beyond the horizon slots are one tick long. */
export function tickOf({ spans, n }: Slots, t: number): number {
  if (!spans || t <= 0) return t;
  let ticks = begins.get(spans);
  if (!ticks) {
    ticks = new Int32Array(n + 1);
    for (let i = 0; i < n; i++) ticks[i + 1] = at(ticks, i) + (spans[i] ?? 1);
    begins.set(spans, ticks);
  }
  return t <= n ? at(ticks, t) : at(ticks, n) + t - n;
}

/** Length of the whole horizon, h. */
export const horizon_h = (s: Slots): number => s.dt_h * tickOf(s, s.n);

/** The first of the slots that make up the last `hours` of the horizon; 0 where it is shorter. */
export function lastSlotsFrom(s: Slots, hours: number): number {
  const from = tickOf(s, s.n) - Math.round(hours / s.dt_h);
  let t = s.n;
  while (t > 0 && tickOf(s, t - 1) >= from) t--;
  return t;
}

/** Half-open. */
export interface SlotRange {
  readonly from: number;
  readonly until: number;
}

/** The slots of each period, in order; every slot belongs to the one in which it begins. No period: each by itself. */
export function periodsOf(s: Slots, period: Period | null | undefined): SlotRange[] {
  const { ticks, past_ticks } = period ?? { ticks: 1, past_ticks: 0 };
  const periodAt = (t: number): number => Math.floor((past_ticks + tickOf(s, t)) / ticks);
  const ranges: SlotRange[] = [];
  for (let from = 0; from < s.n; ) {
    let until = from + 1;
    while (period && until < s.n && periodAt(until) === periodAt(from)) until++;
    ranges.push({ from, until });
    from = until;
  }
  return ranges;
}

/** The slots over which a car keeps its power, while it is there. */
export function steadyRanges(s: Scenario, d: DeviceOf<'ev'>): SlotRange[] {
  const edges = s.events.flatMap((e) => [e.start, ...stepsOf(e), e.end]);
  return periodsOf(s, d.steady).flatMap((range) => {
    const from = Math.max(range.from, d.arrive_slot);
    const until = Math.min(range.until, d.depart_slot);
    const cuts = edges.filter((t) => t > from && t < until).sort((a, b) => a - b);
    const starts = [...new Set([from, ...cuts])];
    return from < until ? starts.map((t, i) => ({ from: t, until: starts[i + 1] ?? until })) : [];
  });
}

/** The slots in which a limit becomes another one. */
const stepsOf = ({ start, limits_kw = [] }: PlanEvent): number[] =>
  limits_kw.flatMap((x, i) => (i > 0 && x !== limits_kw[i - 1] ? [start + i] : []));

/** Length of a range, ticks. */
export const ticksOf = (s: Slots, { from, until }: SlotRange): number => tickOf(s, until) - tickOf(s, from);

/** What a cycle draws that begins with slot `start`: slots of the horizon and the mean power in each, kW. */
export function cycleFrom(
  s: Slots,
  { profile_kw }: Pick<DeviceOf<'appliance'>, 'profile_kw'>,
  start: number,
): [slot: number, power_kw: number][] {
  const powers: [number, number][] = [];
  for (let t = start, k = 0; k < profile_kw.length && t < s.n; t++) {
    const span = spanOf(s, t);
    let sum = 0;
    for (let i = 0; i < span; i++) sum += at(profile_kw, k + i);
    if (t >= 0) powers.push([t, sum / span]);
    k += span;
  }
  return powers;
}

/** Whether a cycle that begins with slot `start` ends by the end of its time: ticks beyond it, 0 or less if so. */
export const lateBy = (
  s: Slots,
  { profile_kw, latest_end_slot }: DeviceOf<'appliance'>,
  start: number,
): number => tickOf(s, start) + profile_kw.length - tickOf(s, latest_end_slot);

/** The slots with which a cycle may begin so that it ends in time and within the horizon. */
export function startsOf(s: Slots, d: DeviceOf<'appliance'>): number[] {
  const last = Math.min(tickOf(s, s.n), tickOf(s, d.latest_end_slot)) - d.profile_kw.length;
  const starts: number[] = [];
  for (let t = Math.max(0, d.earliest_slot); t < s.n && tickOf(s, t) <= last; t++) starts.push(t);
  return starts;
}

/** The energy (kWh) that the whole window allows (`reduce`) or is measured against (`incentive`). */
export function windowEnergy(s: Scenario, e: PlanEvent): number {
  let sum = e.carry_kwh ?? 0;
  for (let t = e.start; t < e.end; t++)
    sum += hoursOf(s, t) * (limitAt(e, t) ?? at(e.baseline_kw, t - e.start));
  return sum;
}

/** What a device draws by slot, kW; a battery that discharges draws less than nothing. Solar is not a load: 0. */
export function netPower(s: Scenario, d: Device, p: DeviceSchedule): Float64Array {
  if (d.type === 'appliance') return cycle(s, d, p.start ?? null);
  return Float64Array.from({ length: s.n }, (_, t) => {
    if (d.type === 'battery') return at(p.charge_kw, t) - at(p.discharge_kw, t);
    if (d.type === 'curtailable') return at(d.demand_kw, t) - at(p.curtailed_kw, t);
    return d.type === 'pv' ? 0 : at(p.power_kw, t);
  });
}

/** What an appliance draws that starts with slot `start`, kW by slot. */
export function cycle(s: Scenario, d: DeviceOf<'appliance'>, start: number | null): Float64Array {
  const power = new Float64Array(s.n);
  if (start !== null) for (const [t, kw] of cycleFrom(s, d, start)) power[t] = kw;
  return power;
}
