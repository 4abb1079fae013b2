/** Solar, appliances and curtailable loads as columns and rows of the program. */
import { at, type DeviceOf, type Scenario } from '../scenario.ts';
import { cycleFrom, hoursOf, startsOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import { type DeviceColumns, draws, type SlotTerms, within } from './slot.ts';

export function solar(lp: LinearProgram, d: DeviceOf<'pv'>, slots: readonly SlotTerms[]): DeviceColumns {
  const least = (t: number): number => (d.curtailable ? 0 : at(d.available_kw, t));
  const used = slots.map((slot, t) => {
    const v = lp.variable(0, least(t), at(d.available_kw, t));
    draws(slot, v, -1, at(d.available_kw, t));
    slot.solar.push([v, 1]);
    return v;
  });
  return {
    read: (x) => ({ used_kw: used.map((v, t) => within(at(x, v), least(t), at(d.available_kw, t))) }),
    start: () => [],
  };
}

export function appliance(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'appliance'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const starts = new Map<number, number>();
  const most = new Set<SlotTerms>();
  for (const k of startsOf(s, d)) {
    const v = lp.binary();
    starts.set(k, v);
    for (const [t, power] of cycleFrom(s, d, k)) {
      const slot = slots[t];
      slot?.net.push([v, power]);
      if (slot) most.add(slot);
    }
  }
  for (const slot of most) slot.most_kw += Math.max(...d.profile_kw);
  const skipped = lp.variable(d.skip_penalty ?? 1_000, 0, 1);
  lp.row([...[...starts.values()].map((v): Term => [v, 1]), [skipped, 1]], '=', 1);
  return {
    read: (values) => ({ start: [...starts].find(([, v]) => at(values, v) > 0.5)?.[0] ?? null }),
    start: (schedule) => [...starts].map(([k, v]): Term => [v, schedule.start === k ? 1 : 0]),
  };
}

export function curtailable(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'curtailable'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const most = d.demand_kw.map((x) => x * d.max_fraction);
  const cut = slots.map((slot, t) => {
    const v = lp.variable(hoursOf(s, t) * d.penalty_per_kwh, 0, at(most, t));
    slot.fixed_kw += at(d.demand_kw, t);
    slot.most_kw += at(d.demand_kw, t);
    slot.least_kw += at(d.demand_kw, t);
    draws(slot, v, -1, at(most, t));
    return v;
  });
  if (typeof d.max_kwh === 'number')
    lp.row(
      cut.map((v, t): Term => [v, hoursOf(s, t)]),
      '<=',
      d.max_kwh,
    );
  return {
    read: (values) => ({ curtailed_kw: cut.map((v, t) => within(at(values, v), 0, at(most, t))) }),
    start: () => [],
  };
}
