/** The operator's commands in the program. A hard limit gives way last, at a price above any tariff. */
import { at, isWindow, limitAt, type PlanEvent, type Scenario } from '../scenario.ts';
import { breachPrice } from '../slot-cost.ts';
import { hoursOf, windowEnergy } from '../slots.ts';
import type { Grid } from './grid.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import type { SlotTerms } from './slot.ts';

/** The decisions of an event, as they are when this is imported (kW by slot). */
export type EventStart = (import_kw: ArrayLike<number>) => Term[];

export function buildEvent(
  lp: LinearProgram,
  s: Scenario,
  e: PlanEvent,
  slots: readonly SlotTerms[],
  grid: Grid,
): EventStart {
  const price = e.hard ? breachPrice(s) : (e.penalty_per_kwh ?? 0);
  const window = (): Term[] => grid.taken.slice(e.start, e.end).map((v, i) => [v, hoursOf(s, e.start + i)]);
  if (e.kind === 'incentive') return incentive(lp, s, e, slots, window());
  if (isWindow(e)) {
    lp.row([...window(), [lp.variable(price, 0, 1e5), -1]], '<=', Math.max(0, windowEnergy(s, e)));
    return () => [];
  }
  const own: [number, number][] = [];
  for (let t = e.start; t < e.end; t++) {
    const decision = slotLimit(lp, s, e, t, price, slots[t], grid);
    if (decision !== null) own.push([t, decision]);
  }
  return (import_kw) => own.map(([t, v]): Term => [v, at(import_kw, t) <= (limitAt(e, t) ?? 0) ? 1 : 0]);
}

const mostTaken = (s: Scenario, slot: SlotTerms | undefined): number =>
  Math.min(s.grid.import_max_kw, Math.max(0, slot?.most_kw ?? 0));

/** Paid only when the window stays below its baseline: a decision, because more import must stay allowed. */
function incentive(
  lp: LinearProgram,
  s: Scenario,
  e: PlanEvent,
  slots: readonly SlotTerms[],
  window: Term[],
): EventStart {
  const base = windowEnergy(s, e);
  if (base <= 0) return () => [];
  const reward = lp.variable(-(e.reward_per_kwh ?? 0), 0, base);
  const won = lp.binary();
  lp.onlyWith(reward, base, won);
  let most = 0;
  for (let t = e.start; t < e.end; t++) most += hoursOf(s, t) * mostTaken(s, slots[t]);
  lp.row([[reward, 1], ...window, [won, most]], '<=', base + most);
  const taken = (import_kw: ArrayLike<number>): number => {
    let energy = 0;
    for (let t = e.start; t < e.end; t++) energy += hoursOf(s, t) * at(import_kw, t);
    return energy;
  };
  return (import_kw) => [[won, taken(import_kw) < base ? 1 : 0]];
}

function slotLimit(
  lp: LinearProgram,
  s: Scenario,
  e: PlanEvent,
  t: number,
  price: number,
  slot: SlotTerms | undefined,
  grid: Grid,
): number | null {
  const limit = limitAt(e, t) ?? 0;
  const taken: Term = [grid.taken[t] ?? 0, 1];
  const beyond = (): Term => [lp.variable(hoursOf(s, t) * price, 0, 1e4), -1];
  if (e.kind !== 'steerable_limit') {
    lp.row([e.kind === 'export_limit' ? [grid.fed[t] ?? 0, 1] : taken, beyond()], '<=', limit);
    return null;
  }
  // Either the steerable devices stay under the limit, or the whole import does.
  const own = lp.binary();
  const over = beyond();
  const steerable = slot?.steerable ?? [];
  const flexible = (slot?.most_kw ?? 0) - (slot?.fixed_kw ?? 0);
  const big = Math.max(0, Math.max(mostTaken(s, slot), flexible) - limit);
  lp.row([taken, over, [own, big]], '<=', limit + big);
  lp.row([...steerable, over, [own, -big]], '<=', limit);
  return own;
}
