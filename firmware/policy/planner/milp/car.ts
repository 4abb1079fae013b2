/** A car that charges: zero or between its minimum and maximum, in whole steps where it has steps. */
import { at, type DeviceOf, type Scenario } from '../scenario.ts';
import { type SlotRange, steadyRanges, ticksOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import { type DeviceColumns, draws, type SlotTerms, within } from './slot.ts';

/** A time in which its power stays: in steps (or kW), and whether it charges where that is a decision. */
interface Charge extends SlotRange {
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
  const charges: Charge[] = [];
  const total: Term[] = [];
  for (const range of steadyRanges(s, d)) {
    const p = lp.variable(0, 0, high, step ? 'integer' : 'real');
    const on = low > (step ? 1 : 0) ? lp.binary() : null;
    if (on !== null) {
      lp.onlyWith(p, high, on);
      lp.atLeastWith(p, low, on);
    }
    charges.push({ ...range, power: p, on });
    total.push([p, unit * ticksOf(s, range) * s.dt_h]);
    for (let t = range.from; t < range.until; t++) {
      draws(slots[t], p, unit, high * unit);
      if (d.steerable) slots[t]?.steerable.push([p, unit]);
    }
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
    read: (values) => {
      const power_kw = slots.map(() => 0);
      for (const { from, until, power } of charges)
        power_kw.fill(readPower(d, step, at(values, power)), from, until);
      return { power_kw };
    },
    start: (schedule) =>
      charges.flatMap(({ from, power, on }): Term[] => {
        const power_kw = at(schedule.power_kw, from);
        const steps: Term[] = step ? [[power, within(Math.round(power_kw / step), 0, high)]] : [];
        return on === null ? steps : [...steps, [on, power_kw > 1e-3 ? 1 : 0]];
      }),
  };
}

function readPower(d: DeviceOf<'ev'>, step: number, x: number): number {
  if (step) return Math.round(x) * step;
  return x < Math.max(d.min_kw / 2, 1e-3) ? 0 : within(x, d.min_kw, d.max_kw);
}
