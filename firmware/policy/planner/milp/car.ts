/** A car that charges: zero or between its minimum and maximum, in whole steps where it has steps. */
import { at, type DeviceOf, type Scenario } from '../scenario.ts';
import { hoursOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import { type DeviceColumns, draws, type SlotTerms, within } from './slot.ts';

/** One slot in which the car is there: its power in steps (or kW), and whether it charges where that is a decision. */
interface CarSlot {
  readonly power: number;
  readonly on: number | null;
}

export function car(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'ev'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const step = d.step_kw || 0;
  const unit = step || 1;
  const low = step ? Math.ceil(d.min_kw / step - 1e-6) : d.min_kw;
  const high = step ? Math.floor(d.max_kw / step + 1e-6) : d.max_kw;
  const present = new Map<number, CarSlot>();
  const total: Term[] = [];
  for (let t = Math.max(0, d.arrive_slot); t < Math.min(s.n, d.depart_slot); t++) {
    const p = lp.variable(0, 0, high, step ? 'integer' : 'real');
    const on = low > (step ? 1 : 0) ? lp.binary() : null;
    if (on !== null) {
      lp.onlyWith(p, high, on);
      lp.atLeastWith(p, low, on);
    }
    present.set(t, { power: p, on });
    total.push([p, unit * hoursOf(s, t)]);
    draws(slots[t], p, unit, high * unit);
    if (d.steerable) slots[t]?.steerable.push([p, unit]);
  }
  // What it needs beyond what it can take stays missing.
  const missing = lp.variable(
    d.unserved_per_kwh,
    Math.max(0, d.required_kwh - d.capacity_left_kwh),
    d.required_kwh,
  );
  const extra = lp.variable(-d.extra_value_per_kwh, 0, Math.max(0, d.capacity_left_kwh - d.required_kwh));
  lp.row([...total, [missing, 1], [extra, -1]], '=', d.required_kwh);
  return {
    read: (values) => ({ power_kw: slots.map((_, t) => readPower(d, step, values, present.get(t))) }),
    start: (schedule) =>
      [...present].flatMap(([t, x]): Term[] => {
        const power = at(schedule.power_kw, t);
        const steps: Term[] = step ? [[x.power, within(Math.round(power / step), 0, high)]] : [];
        return x.on === null ? steps : [...steps, [x.on, power > 1e-3 ? 1 : 0]];
      }),
  };
}

function readPower(
  d: DeviceOf<'ev'>,
  step: number,
  values: ArrayLike<number>,
  slot: CarSlot | undefined,
): number {
  if (!slot) return 0;
  const x = at(values, slot.power);
  if (step) return Math.round(x) * step;
  return x < Math.max(d.min_kw / 2, 1e-3) ? 0 : within(x, d.min_kw, d.max_kw);
}
