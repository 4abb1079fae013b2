/** Each kind of device as columns and rows of the program, and its powers read back from a solution. */
import type { LinearProgram, Term } from './linear-program.ts';
import { ambientAt, at, type Device, type DeviceOf, type DeviceSchedule, type Scenario } from './scenario.ts';

/** What the devices add to one slot: terms of net power before constants, of steerable power, and of solar used. */
export interface SlotTerms {
  readonly net: Term[];
  readonly steerable: Term[];
  readonly solar: Term[];
  fixed_kw: number;
  fixedSteerable_kw: number;
}

export interface DeviceColumns {
  readonly charge?: readonly number[];
  read(values: ArrayLike<number>): DeviceSchedule;
}

const within = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

export function buildDevice(
  lp: LinearProgram,
  s: Scenario,
  d: Device,
  slots: readonly SlotTerms[],
  directed: readonly boolean[],
): DeviceColumns {
  if (d.type === 'pv') return solar(lp, d, slots);
  if (d.type === 'battery') return battery(lp, s, d, slots, directed);
  if (d.type === 'ev') return car(lp, s, d, slots);
  if (d.type === 'thermal') return heat(lp, s, d, slots);
  if (d.type === 'appliance') return appliance(lp, s, d, slots);
  return curtailable(lp, s, d, slots);
}

function solar(lp: LinearProgram, d: DeviceOf<'pv'>, slots: readonly SlotTerms[]): DeviceColumns {
  const used = slots.map((slot, t) => {
    const available = at(d.available_kw, t);
    const v = lp.variable(0, d.curtailable ? 0 : available, available);
    slot.net.push([v, -1]);
    slot.solar.push([v, 1]);
    return v;
  });
  return {
    read: (x) => ({
      used_kw: used.map((v, t) =>
        within(at(x, v), d.curtailable ? 0 : at(d.available_kw, t), at(d.available_kw, t)),
      ),
    }),
  };
}

function battery(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'battery'>,
  slots: readonly SlotTerms[],
  directed: readonly boolean[],
): DeviceColumns {
  const charge: number[] = [];
  const discharge: number[] = [];
  let before: number | null = null;
  // What it holds beyond its bounds at the start may stay, it only must not get worse.
  const low = Math.min(d.soc_min_kwh, d.soc0_kwh);
  const high = Math.max(d.soc_max_kwh, d.soc0_kwh);
  slots.forEach((slot, t) => {
    const c = lp.variable(0, 0, d.charge_max_kw);
    const x = lp.variable(s.dt_h * d.wear_per_kwh, 0, d.discharge_max_kw);
    const soc = lp.variable(t === s.n - 1 ? -d.terminal_value_per_kwh : 0, low, high);
    const change: Term[] = [
      [soc, 1],
      [c, -s.dt_h * d.eta_charge],
      [x, s.dt_h / d.eta_discharge],
    ];
    if (before !== null) lp.row([...change, [before, -1]], '=', 0);
    else lp.row(change, '=', d.soc0_kwh);
    if (directed[t]) {
      const charging = lp.binary();
      lp.row(
        [
          [c, 1],
          [charging, -d.charge_max_kw],
        ],
        '<=',
        0,
      );
      lp.row(
        [
          [x, 1],
          [charging, d.discharge_max_kw],
        ],
        '<=',
        d.discharge_max_kw,
      );
    }
    slot.net.push([c, 1], [x, -1]);
    if (d.steerable) slot.steerable.push([c, 1]);
    charge.push(c);
    discharge.push(x);
    before = soc;
  });
  lp.variable(d.terminal_value_per_kwh * d.soc0_kwh, 1, 1);
  return {
    charge,
    read: (values) =>
      readBattery(
        d,
        charge.map((v) => at(values, v)),
        discharge.map((v) => at(values, v)),
      ),
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

function car(lp: LinearProgram, s: Scenario, d: DeviceOf<'ev'>, slots: readonly SlotTerms[]): DeviceColumns {
  const step = d.step_kw || 0;
  const unit = step || 1;
  const low = step ? Math.ceil(d.min_kw / step - 1e-6) : d.min_kw;
  const high = step ? Math.floor(d.max_kw / step + 1e-6) : d.max_kw;
  const power = new Map<number, number>();
  const total: Term[] = [];
  for (let t = Math.max(0, d.arrive_slot); t < Math.min(s.n, d.depart_slot); t++) {
    const p = lp.variable(0, 0, high, step ? 'integer' : 'real');
    if (low > (step ? 1 : 0)) {
      const on = lp.binary();
      lp.row(
        [
          [p, 1],
          [on, -high],
        ],
        '<=',
        0,
      );
      lp.row(
        [
          [p, 1],
          [on, -low],
        ],
        '>=',
        0,
      );
    }
    power.set(t, p);
    total.push([p, unit * s.dt_h]);
    slots[t]?.net.push([p, unit]);
    if (d.steerable) slots[t]?.steerable.push([p, unit]);
  }
  const missing = lp.variable(d.unserved_per_kwh, 0, d.required_kwh);
  const extra = lp.variable(-d.extra_value_per_kwh, 0, Math.max(0, d.capacity_left_kwh - d.required_kwh));
  lp.row([...total, [missing, 1], [extra, -1]], '=', d.required_kwh);
  return {
    read: (values) => ({
      power_kw: slots.map((_, t) => {
        const v = power.get(t);
        const x = v === undefined ? 0 : at(values, v);
        if (step) return Math.round(x) * step;
        return x < Math.max(d.min_kw / 2, 1e-3) ? 0 : within(x, d.min_kw, d.max_kw);
      }),
    }),
  };
}

function heat(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'thermal'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const decides = d.min_kw > 0 || d.min_on_slots > 1 || d.min_off_slots > 1;
  const least = Math.max(d.min_kw, 0.002);
  const on: number[] = [];
  const power: number[] = [];
  const k = s.dt_h / d.c_kwh_per_k;
  let before: number | null = null;
  slots.forEach((slot, t) => {
    const fixed = decides && d.max_kw - d.min_kw < 1e-6;
    const run = decides ? lp.binary() : -1;
    const p = fixed ? run : lp.variable(0, 0, d.max_kw);
    const unit = fixed ? d.max_kw : 1;
    if (decides && !fixed) {
      lp.row(
        [
          [p, 1],
          [run, -d.max_kw],
        ],
        '<=',
        0,
      );
      lp.row(
        [
          [p, 1],
          [run, -least],
        ],
        '>=',
        0,
      );
    }
    const warm = lp.variable(0, -500, 500);
    const gain = k * (at(d.gain_kw, t) - at(d.draw_kw, t) + d.ua_kw_per_k * ambientAt(s, d, t));
    const keep = 1 - k * d.ua_kw_per_k;
    const terms: Term[] = [
      [warm, 1],
      [p, -k * at(d.cop, t) * unit],
    ];
    if (before !== null) lp.row([...terms, [before, -keep]], '=', gain);
    else lp.row(terms, '=', gain + keep * d.t0_c);
    comfort(lp, s, d, t, warm);
    if (decides) on.push(run);
    power.push(p);
    slot.net.push([p, unit]);
    if (d.steerable) slot.steerable.push([p, unit]);
    before = warm;
  });
  if (before !== null) terminal(lp, s, d, before);
  if (decides) runs(lp, d, on);
  const read = (values: ArrayLike<number>): number[] =>
    power.map((v, t) => {
      if (decides)
        return at(values, at(on, t)) < 0.5
          ? 0
          : d.max_kw - d.min_kw < 1e-6
            ? d.max_kw
            : within(at(values, v), least, d.max_kw);
      const x = at(values, v);
      return x < 0.001 ? 0 : within(x, 0, d.max_kw);
    });
  return { read: (values) => ({ power_kw: read(values) }) };
}

function comfort(lp: LinearProgram, s: Scenario, d: DeviceOf<'thermal'>, t: number, warm: number): void {
  const price = s.dt_h * d.discomfort_per_kh;
  lp.row(
    [
      [warm, 1],
      [lp.variable(price, 0, 1e3), 1],
    ],
    '>=',
    at(d.lo_c, t),
  );
  lp.row(
    [
      [warm, 1],
      [lp.variable(price, 0, 1e3), -1],
    ],
    '<=',
    at(d.hi_c, t),
  );
  if (typeof d.hard_max_c === 'number')
    lp.row(
      [
        [warm, 1],
        [lp.variable(100, 0, 1e3), -1],
      ],
      '<=',
      d.hard_max_c,
    );
  if (typeof d.hard_min_c === 'number')
    lp.row(
      [
        [warm, 1],
        [lp.variable(100, 0, 1e3), 1],
      ],
      '>=',
      d.hard_min_c,
    );
}

function terminal(lp: LinearProgram, s: Scenario, d: DeviceOf<'thermal'>, warm: number): void {
  const value = d.terminal_value_per_k;
  if (value === 0) return;
  const edge = at(value > 0 ? d.hi_c : d.lo_c, s.n - 1);
  const useful = lp.variable(-value, -500, 500);
  const relation = value > 0 ? '<=' : '>=';
  lp.row(
    [
      [useful, 1],
      [warm, -1],
    ],
    relation,
    0,
  );
  lp.row([[useful, 1]], relation, edge);
  lp.variable(value * (value > 0 ? Math.min(d.t0_c, edge) : Math.max(d.t0_c, edge)), 1, 1);
}

/** Minimum on and off times, with the state before the first slot (turn-on inequalities of Rajan and Takriti). */
function runs(lp: LinearProgram, d: DeviceOf<'thermal'>, on: readonly number[]): void {
  if (d.min_on_slots <= 1 && d.min_off_slots <= 1) return;
  const need = d.init_on ? d.min_on_slots : d.min_off_slots;
  const initial = d.init_on ? 1 : 0;
  const ups: number[] = [];
  on.forEach((v, t) => {
    if (t < need - d.init_slots) lp.row([[v, 1]], '=', initial);
    const up = lp.variable(0, 0, 1);
    const previous = on[t - 1];
    if (previous === undefined)
      lp.row(
        [
          [up, 1],
          [v, -1],
        ],
        '>=',
        -initial,
      );
    else
      lp.row(
        [
          [up, 1],
          [v, -1],
          [previous, 1],
        ],
        '>=',
        0,
      );
    ups.push(up);
    lp.row([...ups.slice(Math.max(0, t - d.min_on_slots + 1)).map((u): Term => [u, 1]), [v, -1]], '<=', 0);
    // Whoever starts in these slots was off before the first of them.
    const first = t - Math.max(1, d.min_off_slots);
    const earlier = on[first];
    const starts = ups.slice(Math.max(0, first + 1)).map((u): Term => [u, 1]);
    if (earlier !== undefined) lp.row([...starts, [earlier, 1]], '<=', 1);
    else if (d.init_on) lp.row(starts, '<=', 0);
  });
}

function appliance(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'appliance'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const starts = new Map<number, number>();
  const last = Math.min(s.n, d.latest_end_slot) - d.profile_kw.length;
  for (let k = Math.max(0, d.earliest_slot); k <= last; k++) {
    const v = lp.binary();
    starts.set(k, v);
    for (const [i, power] of d.profile_kw.entries()) slots[k + i]?.net.push([v, power]);
  }
  const skipped = lp.variable(d.skip_penalty ?? 1_000, 0, 1);
  lp.row([...[...starts.values()].map((v): Term => [v, 1]), [skipped, 1]], '=', 1);
  return {
    read: (values) => ({ start: [...starts].find(([, v]) => at(values, v) > 0.5)?.[0] ?? null }),
  };
}

function curtailable(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'curtailable'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const most = d.demand_kw.map((x) => x * d.max_fraction);
  const cut = slots.map((slot, t) => {
    const v = lp.variable(s.dt_h * d.penalty_per_kwh, 0, at(most, t));
    slot.fixed_kw += at(d.demand_kw, t);
    slot.net.push([v, -1]);
    return v;
  });
  if (typeof d.max_kwh === 'number')
    lp.row(
      cut.map((v): Term => [v, s.dt_h]),
      '<=',
      d.max_kwh,
    );
  return { read: (values) => ({ curtailed_kw: cut.map((v, t) => within(at(values, v), 0, at(most, t))) }) };
}
