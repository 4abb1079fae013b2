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
  const grid = gridOf(d);
  const { unit, isWhole, low, high } = grid;
  const charges: Charge[] = [];
  const total: Term[] = [];
  for (const range of steadyRanges(s, d)) {
    const p = lp.variable(0, 0, high, isWhole ? 'integer' : 'real');
    const on = low > (isWhole ? 1 : 0) ? lp.binary() : null;
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
        power_kw.fill(unit * readPower(grid, at(values, power)), from, until);
      return { power_kw };
    },
    start: (schedule) =>
      charges.flatMap(({ from, power, on }): Term[] => {
        const power_kw = at(schedule.power_kw, from);
        const steps: Term[] = isWhole ? [[power, within(Math.round(power_kw / unit), 0, high)]] : [];
        return on === null ? steps : [...steps, [on, power_kw > 1e-3 ? 1 : 0]];
      }),
  };
}

/** More steps than this are as good as none: a whole column of thousands of values is searched in vain. */
const MOST_STEPS = 256;

/** What a column of power counts: steps, or kW where there are none or too many. */
interface Grid {
  /** kW. */
  readonly unit: number;
  readonly isWhole: boolean;
  readonly low: number;
  readonly high: number;
  /** Of the car's own in what is counted; 0: it has none. */
  readonly step: number;
}

function gridOf({ step_kw, min_kw, max_kw }: DeviceOf<'ev'>): Grid {
  if (!step_kw) return { unit: 1, isWhole: false, low: min_kw, high: max_kw, step: 0 };
  const low = Math.ceil(min_kw / step_kw - 1e-6);
  const high = Math.floor(max_kw / step_kw + 1e-6);
  if (high <= MOST_STEPS) return { unit: step_kw, isWhole: true, low, high, step: 1 };
  return { unit: 1, isWhole: false, low: low * step_kw, high: high * step_kw, step: step_kw };
}

/** What is between two steps becomes the lower one: no limit is passed. */
function readPower({ isWhole, low, high, step }: Grid, x: number): number {
  if (isWhole) return Math.round(x);
  if (x < Math.max(low / 2, 1e-3)) return 0;
  const power = within(x, low, high);
  return step ? Math.floor(power / step + 1e-6) * step : power;
}
