/** What is billed: energy, and peaks by the mean import of a slot or of a period of slots that may have begun already. */
import { at, type Scenario } from './scenario.ts';
import { hoursOf, periodsOf, type SlotRange, ticksOf } from './slots.ts';

export interface BilledPeriod extends SlotRange {
  /** Of the whole period as far as it is known: what is over, and its slots within the horizon. */
  readonly hours: number;
  readonly past_kwh: number;
}

/** In order; every slot belongs to the period in which it begins. */
export function billedPeriods(s: Scenario): BilledPeriod[] {
  const { past_ticks, past_kwh } = s.grid.peak?.period ?? { past_ticks: 0, past_kwh: 0 };
  return periodsOf(s, s.grid.peak?.period).map((range, i) => {
    const ticks = ticksOf(s, range);
    return i > 0
      ? { ...range, hours: ticks * s.dt_h, past_kwh: 0 }
      : { ...range, hours: (past_ticks + ticks) * s.dt_h, past_kwh };
  });
}

/** The highest mean import of a period, kW. */
export function highestMean(s: Scenario, import_kw: ArrayLike<number>): number {
  let most = 0;
  for (const { from, until, hours, past_kwh } of billedPeriods(s)) {
    let energy = past_kwh;
    for (let t = from; t < until; t++) energy += hoursOf(s, t) * at(import_kw, t);
    most = Math.max(most, energy / hours);
  }
  return most;
}

/**
 * What is paid for the horizon: import less export at their prices, and what its highest mean adds to the peak that is paid
 * for anyway. Not what a plan weighs besides: wear, comfort, carbon, and what is stored at the end.
 */
export function billOf(s: Scenario, import_kw: ArrayLike<number>, export_kw: ArrayLike<number>): number {
  const { price_per_kw, free_kw } = s.grid.peak ?? { price_per_kw: 0, free_kw: 0 };
  let sum = price_per_kw * Math.max(0, highestMean(s, import_kw) - free_kw);
  for (let t = 0; t < s.n; t++)
    sum +=
      hoursOf(s, t) * (at(s.prices.import, t) * at(import_kw, t) - at(s.prices.export, t) * at(export_kw, t));
  return sum;
}

/** By slot: the import above which a peak beyond `threshold_kw` would be billed, and what a kWh more then costs. */
export function peakSteps(s: Scenario, threshold_kw: number): { above_kw: number; price: number }[] {
  const steps: { above_kw: number; price: number }[] = [];
  for (const { from, until, hours, past_kwh } of billedPeriods(s)) {
    let left_h = 0;
    for (let t = from; t < until; t++) left_h += hoursOf(s, t);
    // What was imported in it before leaves less, or more, for the rest of it.
    const isBegun = hours > left_h;
    const above_kw = isBegun ? Math.max(0, (threshold_kw * hours - past_kwh) / left_h) : threshold_kw;
    for (let t = from; t < until; t++)
      steps.push({ above_kw, price: (s.grid.peak?.price_per_kw ?? 0) / hours });
  }
  return steps;
}
