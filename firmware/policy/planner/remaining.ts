/** What is left of a scenario from a slot on, given what the devices are at: again a scenario. */
import { at, type Device, limitAt, type PlanEvent, type Scenario } from './scenario.ts';

/** State of all devices at the start of a slot, as far as known; what is missing stays as the scenario has it. */
export interface DeviceState {
  readonly soc_kwh?: number | undefined;
  readonly delivered_kwh?: number | undefined;
  readonly t_c?: number | undefined;
  readonly on?: boolean | undefined;
  readonly slots_in_state?: number | undefined;
  readonly start?: number | null | undefined;
  readonly curtailed_kwh?: number | undefined;
}

export interface Progress {
  readonly peak_import_kw: number;
  readonly past_import_kw: readonly number[];
  readonly states: Readonly<Record<string, DeviceState>>;
}

/** The scenario of slots `t`…, in which slot 0 is slot `t` of `s`. Cycles that run are part of its base load. */
export function remaining(s: Scenario, t: number, progress: Progress): Scenario {
  const base = s.base_load_kw.slice(t);
  const devices: Device[] = [];
  for (const d of s.devices) {
    const state = progress.states[d.id] ?? {};
    if (d.type === 'appliance' && typeof state.start === 'number') {
      const start = state.start;
      d.profile_kw.forEach((power, i) => {
        const k = start + i - t;
        if (k >= 0 && k < base.length) base[k] = at(base, k) + power;
      });
    } else devices.push(deviceFrom(d, t, state));
  }
  const peak = s.grid.peak && {
    ...s.grid.peak,
    free_kw: Math.max(s.grid.peak.free_kw, progress.peak_import_kw),
  };
  return {
    ...s,
    n: s.n - t,
    grid: { ...s.grid, peak },
    prices: { import: s.prices.import.slice(t), export: s.prices.export.slice(t) },
    co2: s.co2 && { ...s.co2, g_per_kwh: s.co2.g_per_kwh.slice(t) },
    base_load_kw: base,
    t_out_c: s.t_out_c?.slice(t),
    devices,
    events: s.events.filter((e) => e.end > t).map((e) => eventFrom(e, t, s.dt_h, progress.past_import_kw)),
  };
}

function deviceFrom(d: Device, t: number, state: DeviceState): Device {
  if (d.type === 'pv') return { ...d, available_kw: d.available_kw.slice(t) };
  if (d.type === 'battery') return { ...d, soc0_kwh: state.soc_kwh ?? d.soc0_kwh };
  if (d.type === 'appliance')
    return { ...d, earliest_slot: d.earliest_slot - t, latest_end_slot: d.latest_end_slot - t };
  if (d.type === 'curtailable') {
    const left = typeof d.max_kwh === 'number' ? Math.max(0, d.max_kwh - (state.curtailed_kwh ?? 0)) : null;
    return { ...d, demand_kw: d.demand_kw.slice(t), max_kwh: left };
  }
  if (d.type === 'ev') {
    const delivered = state.delivered_kwh ?? 0;
    return {
      ...d,
      arrive_slot: d.arrive_slot - t,
      depart_slot: d.depart_slot - t,
      required_kwh: Math.max(0, d.required_kwh - delivered),
      capacity_left_kwh: Math.max(0, d.capacity_left_kwh - delivered),
    };
  }
  return {
    ...d,
    t0_c: state.t_c ?? d.t0_c,
    init_on: state.on ?? d.init_on,
    init_slots: state.slots_in_state ?? d.init_slots,
    lo_c: d.lo_c.slice(t),
    hi_c: d.hi_c.slice(t),
    cop: d.cop.slice(t),
    gain_kw: d.gain_kw.slice(t),
    draw_kw: d.draw_kw.slice(t),
  };
}

function eventFrom(e: PlanEvent, t: number, dt_h: number, past_import_kw: readonly number[]): PlanEvent {
  let carry_kwh = e.carry_kwh ?? 0;
  for (let k = e.start; k < Math.min(t, e.end); k++) {
    carry_kwh += dt_h * ((limitAt(e, k) ?? at(e.baseline_kw, k - e.start)) - at(past_import_kw, k));
  }
  const start = Math.max(0, e.start - t);
  return {
    ...e,
    start,
    end: e.end - t,
    carry_kwh,
    baseline_kw: e.baseline_kw?.slice(Math.max(0, t - e.start)),
    limits_kw: e.limits_kw?.slice(Math.max(0, t - e.start)),
  };
}
