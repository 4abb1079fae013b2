/**
 * What one slot costs as a function of the net power before solar, with everything else standing still. This is what
 * the devices are planned against one by one; couplings over several slots (peak, windows) enter as prices.
 */
import { peakSteps } from './billing.ts';
import { groupsOf } from './groups.ts';
import { at, importPrice, isWindow, limitAt, type Scenario } from './scenario.ts';
import { hoursOf, tickOf, windowEnergy } from './slots.ts';

/** Price of being above a hard limit, per kWh: far above any tariff, so that a limit gives way last. */
export function breachPrice(s: Scenario): number {
  const prices = [
    ...s.prices.import,
    ...s.prices.export,
    ...s.events.map((e) => e.penalty_per_kwh ?? e.reward_per_kwh ?? 0),
  ];
  return Math.max(100, 20 * prices.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
}

/** How limits over several slots enter the price of one. */
export interface Coupling {
  /** Import above it is charged as peak; null takes no account of peaks. */
  readonly threshold_kw: number | null;
  /** Price on import inside windows; null: every slot of a window keeps to the window's mean. */
  readonly window_per_kwh: number | null;
}

export interface SlotCosts {
  /** Cost of slot `t` when everything but solar draws `net_kw`, `steerable_kw` of it steerable. */
  cost(t: number, net_kw: number, steerable_kw: number, charge_kw: number): number;
  /** What it costs that a group (by its place among them) draws so much. */
  crowding(t: number, group: number, draw_kw: number): number;
  /** Powers (kW) at which the slope of the cost changes: net before solar, steerable, charge of batteries that need sun. */
  kinks(t: number): Kinks;
  /** How much solar is used then, kW (all inverters). */
  solar(t: number, net_kw: number, steerable_kw: number, charge_kw: number): number;
}

export interface Kinks {
  readonly net_kw: readonly number[];
  readonly steerable_kw: readonly number[];
  readonly charge_kw: readonly number[];
}

interface Step {
  readonly above_kw: number;
  /** Per kWh. */
  readonly price: number;
}

interface SlotTerms {
  readonly hours: number;
  readonly buy: number;
  readonly sell: number;
  readonly fixed_kw: number;
  readonly flexible_kw: number;
  readonly steps: readonly Step[];
  readonly exports: readonly Step[];
  readonly steerable: readonly Step[];
}

export function slotCosts(s: Scenario, coupling: Coupling): SlotCosts {
  const breach = breachPrice(s);
  const { threshold_kw } = coupling;
  const peaks = s.grid.peak && threshold_kw !== null ? peakSteps(s, threshold_kw) : [];
  const terms = Array.from({ length: s.n }, (_, t) => termsOf(s, t, coupling, breach, peaks[t]));
  const kinks = terms.map(kinksOf);
  const groups = groupsOf(s);
  const solarOnlyCharge = s.devices.some((d) => d.type === 'battery' && !d.grid_charge);
  const solarOnlyExport = s.devices.some((d) => d.type === 'battery' && !d.grid_discharge);
  const price = (m: SlotTerms, net: number, pv: number, steerable: number, charge: number): number => {
    const taken = Math.max(0, net - pv);
    const fed = Math.max(0, pv - net);
    let sum = taken * m.buy - fed * m.sell;
    for (const x of m.steps) if (taken > x.above_kw) sum += (taken - x.above_kw) * x.price;
    for (const x of m.exports) if (fed > x.above_kw) sum += (fed - x.above_kw) * x.price;
    const counted = Math.min(steerable, taken);
    for (const x of m.steerable) if (counted > x.above_kw) sum += (counted - x.above_kw) * x.price;
    if (solarOnlyCharge && charge > pv) sum += (charge - pv) * breach;
    if (solarOnlyExport && fed > pv) sum += (fed - pv) * breach;
    return sum * m.hours;
  };
  const best = (t: number, net: number, steerable: number, charge: number): [number, number] => {
    const m = terms[t];
    if (!m) return [0, 0];
    const all = m.fixed_kw + m.flexible_kw;
    let pv = all;
    let least = price(m, net, all, steerable, charge);
    if (m.flexible_kw > 0) {
      const tries = [
        m.fixed_kw,
        net,
        ...m.exports.map((x) => net + x.above_kw),
        ...m.steps.map((x) => net - x.above_kw),
        charge,
      ];
      for (const x of tries) {
        if (x < m.fixed_kw || x > all) continue;
        const c = price(m, net, x, steerable, charge);
        if (c < least - 1e-12) [least, pv] = [c, x];
      }
    }
    return [least, pv];
  };
  return {
    kinks: (t) => kinks[t] ?? NO_KINKS,
    crowding: (t, group, draw_kw) =>
      Math.max(0, draw_kw - at(groups[group]?.limit_kw, t)) * breach * hoursOf(s, t),
    cost: (t, net, steerable, charge) => best(t, net, steerable, charge)[0],
    solar: (t, net, steerable, charge) => best(t, net, steerable, charge)[1],
  };
}

const NO_KINKS: Kinks = { net_kw: [], steerable_kw: [], charge_kw: [] };

function kinksOf(m: SlotTerms): Kinks {
  const offsets = [0, ...m.steps.map((x) => x.above_kw), ...m.exports.map((x) => -x.above_kw)];
  const steerable_kw = m.steerable.map((x) => x.above_kw);
  const bases = new Set([0, m.fixed_kw, m.fixed_kw + m.flexible_kw]);
  const net_kw = [...bases].flatMap((base) => [...offsets, ...steerable_kw].map((x) => base + x));
  return { net_kw: [...new Set(net_kw)], steerable_kw, charge_kw: [m.fixed_kw, m.fixed_kw + m.flexible_kw] };
}

function termsOf(
  s: Scenario,
  t: number,
  { window_per_kwh }: Coupling,
  breach: number,
  peak: Step | undefined,
): SlotTerms {
  const steps = [{ above_kw: s.grid.import_max_kw, price: breach }, ...(peak ? [peak] : [])];
  const exports = [{ above_kw: s.grid.export_max_kw, price: breach }];
  const steerable: Step[] = [];
  let buy = importPrice(s, t);
  for (const e of s.events) {
    if (t < e.start || t >= e.end) continue;
    const price = e.hard ? breach : (e.penalty_per_kwh ?? 0);
    const above_kw = limitAt(e, t) ?? 0;
    if (e.kind === 'incentive') {
      // Worth having while the window can still be won; a slot alone cannot know, the final cost decides.
      buy += windowEnergy(s, e) > 0 && window_per_kwh !== 0 ? (e.reward_per_kwh ?? 0) : 0;
    } else if (isWindow(e) && window_per_kwh !== null) buy += window_per_kwh;
    else if (isWindow(e)) {
      const mean = Math.max(0, windowEnergy(s, e)) / (s.dt_h * (tickOf(s, e.end) - tickOf(s, e.start)));
      steps.push({ above_kw: mean, price });
    } else if (e.kind === 'export_limit') exports.push({ above_kw, price });
    else if (e.kind === 'steerable_limit') steerable.push({ above_kw, price });
    else steps.push({ above_kw, price });
  }
  let fixed_kw = 0;
  let flexible_kw = 0;
  for (const d of s.devices) {
    if (d.type !== 'pv') continue;
    if (d.curtailable) flexible_kw += at(d.available_kw, t);
    else fixed_kw += at(d.available_kw, t);
  }
  const hours = hoursOf(s, t);
  return { hours, buy, sell: at(s.prices.export, t), fixed_kw, flexible_kw, steps, exports, steerable };
}
