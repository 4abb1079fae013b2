/**
 * The best a single device can do while all others keep to what they have: dynamic programming over its own state,
 * priced slot by slot. Each returns powers by slot (kW), inside the device's own limits whatever happens.
 */
import { type EnergyValue, energyValue, type SlotView } from './battery-value.ts';
import { at, type DeviceOf, type Scenario } from './scenario.ts';
import { cycleFrom, hoursOf, startsOf, steadyRanges, ticksOf } from './slots.ts';

/** Cost of slot `t` when this device draws `power_kw` (negative: gives). */
export type PriceOf = (t: number, power_kw: number) => number;

/** What a battery is planned against: prices of its power, and the powers at which a slot's price bends. */
export interface BatteryPrices {
  readonly price: PriceOf;
  kinks(t: number): readonly number[];
}

function storedValue(
  s: Scenario,
  d: DeviceOf<'battery'>,
  { price, kinks }: BatteryPrices,
): [EnergyValue, SlotView[]] {
  const views = Array.from({ length: s.n }, (_, t) => ({
    cost: (power: number) => price(t, power),
    kinks_kw: kinks(t),
  }));
  const value = energyValue(s, d, { states: 1, view: (t) => views[t] ?? IDLE, chances: () => [1] });
  return [value, views];
}

const IDLE: SlotView = { cost: () => 0, kinks_kw: [] };

/** What a battery gains in slot `t` at this power, kWh. */
export const socChange = (s: Scenario, d: DeviceOf<'battery'>, t: number, power: number): number =>
  hoursOf(s, t) * (power > 0 ? power * d.eta_charge : power / d.eta_discharge);

/** Battery power by slot, charging positive. */
export function planBattery(s: Scenario, d: DeviceOf<'battery'>, prices: BatteryPrices): Float64Array {
  const [value, views] = storedValue(s, d, prices);
  const powers = new Float64Array(s.n);
  let soc = d.soc0_kwh;
  for (let t = 0; t < s.n; t++) {
    const power = value.best(t, 0, views[t] ?? IDLE, soc);
    powers[t] = power;
    soc += socChange(s, d, t, power);
  }
  return powers;
}

/**
 * Prices of another device's power with a battery that gives way: in the slot that is priced it does what is best
 * then, by the value of its energy, and comes from where `powers` have brought it. `prices`: with the other device as
 * it is; `beside`: without it.
 */
export function withBattery(
  s: Scenario,
  d: DeviceOf<'battery'>,
  powers: Float64Array,
  prices: BatteryPrices,
  beside: { kinks: BatteryPrices['kinks']; cost(t: number, battery_kw: number, power_kw: number): number },
): PriceOf {
  const [value] = storedValue(s, d, prices);
  const soc = new Float64Array(s.n);
  let now = d.soc0_kwh;
  for (let t = 0; t < s.n; t++) {
    soc[t] = now;
    now += socChange(s, d, t, at(powers, t));
  }
  const low = Math.min(d.soc_min_kwh, d.soc0_kwh);
  const high = Math.max(d.soc_max_kwh, d.soc0_kwh);
  const kinks = Array.from({ length: s.n }, (_, t) => Float64Array.from(new Set(beside.kinks(t))));
  return (t, x) => {
    const from = at(soc, t);
    const hours = hoursOf(s, t);
    const most = Math.min(d.charge_max_kw, Math.max(0, (high - from) / (hours * d.eta_charge)));
    const least = -Math.min(d.discharge_max_kw, Math.max(0, ((from - low) * d.eta_discharge) / hours));
    let best = Number.POSITIVE_INFINITY;
    const consider = (p: number): void => {
      if (p < least || p > most) return;
      const wear = Math.max(0, -p) * hours * d.wear_per_kwh;
      best = Math.min(best, beside.cost(t, p, x) + wear + value.after(t, 0, from + socChange(s, d, t, p)));
    };
    consider(0);
    consider(most);
    consider(least);
    consider(at(powers, t));
    kinks[t]?.forEach((p) => {
      consider(p - x);
    });
    return best;
  };
}

/** Of energy, in the grid of a car's plan: 230 kWh in ticks of 5 min and steps of 230 W. */
const MOST_UNITS = 12_000;

/** Powers that a car is planned with. */
const [LEAST_POWERS, MOST_POWERS] = [32, 64];

/**
 * The steps in which a car is planned, kW: its own, or where those are finer some of them at a time, so many that its
 * most is reached as nearly as can be. Without steps of its own a 24th of its most.
 */
export function planStep_kw({ step_kw, min_kw, max_kw }: DeviceOf<'ev'>): number {
  if (!step_kw) return Math.max(0.05, max_kw / 24);
  const high = Math.floor(max_kw / step_kw + 1e-6);
  const low = Math.ceil(min_kw / step_kw - 1e-6);
  if (high <= MOST_POWERS) return step_kw;
  let best = high;
  for (let powers = LEAST_POWERS; powers <= MOST_POWERS; powers++) {
    const many = Math.floor(high / powers);
    const fits = Math.floor(high / many) <= MOST_POWERS && Math.ceil(low / many) * many <= high;
    if (fits && (best === high || high % many <= high % best)) best = many;
  }
  return best * step_kw;
}

/** Of energy, that it may hold. */
const unitsOf = (d: DeviceOf<'ev'>, unit: number): number =>
  Math.min(MOST_UNITS, Math.floor((d.capacity_left_kwh + 1e-9) / unit)) + 1;

/** How many choices are weighed to plan a car, at most. */
export function choicesOf(s: Scenario, d: DeviceOf<'ev'>): number {
  const step = planStep_kw(d);
  return steadyRanges(s, d).length * Math.floor(d.max_kw / step) * unitsOf(d, step * s.dt_h);
}

/** Charging power by slot: zero, or between minimum and maximum in whole steps. */
export function planCar(s: Scenario, d: DeviceOf<'ev'>, price: PriceOf): Float64Array {
  const step = planStep_kw(d);
  const low = Math.max(1, Math.ceil(d.min_kw / step - 1e-6));
  const high = Math.floor(d.max_kw / step + 1e-6);
  const unit = step * s.dt_h;
  const count = unitsOf(d, unit);
  const ranges = steadyRanges(s, d).map((range) => ({ ...range, ticks: ticksOf(s, range) }));
  let next = Float64Array.from({ length: count }, (_, k) => {
    const energy = k * unit;
    return (
      Math.max(0, d.required_kwh - energy) * d.unserved_per_kwh -
      Math.max(0, energy - d.required_kwh) * d.extra_value_per_kwh
    );
  });
  let now = new Float64Array(count);
  let passed = ranges.reduce((sum, { ticks }) => sum + ticks, 0);
  const costs = new Float64Array(high + 1);
  const choices = ranges.toReversed().map(({ from, until, ticks }) => {
    costs.fill(0);
    for (let t = from; t < until; t++) {
      costs[0] = (costs[0] ?? 0) + price(t, 0);
      for (let j = low; j <= high; j++) costs[j] = (costs[j] ?? 0) + price(t, j * step);
    }
    // More than it can have taken by then it has not.
    passed -= ticks;
    const choice = new Int16Array(Math.min(count, high * passed + 1));
    for (let k = 0; k < choice.length; k++) {
      let best = (costs[0] ?? 0) + (next[k] ?? 0);
      for (let j = low, then = k + low * ticks; j <= high && then < count; j++, then += ticks) {
        const c = (costs[j] ?? 0) + (next[then] ?? 0);
        if (c >= best - 1e-12) continue;
        best = c;
        choice[k] = j;
      }
      now[k] = best;
    }
    [next, now] = [now, next];
    return choice;
  });
  const powers = new Float64Array(s.n);
  let k = 0;
  ranges.forEach(({ from, until, ticks }, i) => {
    const j = at(choices[ranges.length - 1 - i], k);
    powers.fill(j * step, from, until);
    k += j * ticks;
  });
  return powers;
}

/** The cheapest start, null where skipping the cycle is cheaper or no start fits. */
export function planAppliance(s: Scenario, d: DeviceOf<'appliance'>, price: PriceOf): number | null {
  let best = typeof d.skip_penalty === 'number' ? d.skip_penalty : Number.POSITIVE_INFINITY;
  let start: number | null = null;
  for (const k of startsOf(s, d)) {
    let c = 0;
    for (const [t, power] of cycleFrom(s, d, k)) c += price(t, power) - price(t, 0);
    if (c < best) [best, start] = [c, k];
  }
  return start;
}

/** What is cut of the demand, kW by slot: where a kWh saves most, while it saves more than it costs. */
export function planCut(s: Scenario, d: DeviceOf<'curtailable'>, price: PriceOf): Float64Array {
  const cut = new Float64Array(s.n);
  const parts = 8;
  const gains: { t: number; piece: number; gain: number }[] = [];
  for (let t = 0; t < s.n; t++) {
    const piece = (at(d.demand_kw, t) * d.max_fraction) / parts;
    if (piece <= 0) continue;
    for (let i = 0; i < parts; i++) {
      const saved = price(t, -piece * i) - price(t, -piece * (i + 1));
      gains.push({ t, piece, gain: saved / (piece * hoursOf(s, t)) - d.penalty_per_kwh - i * 1e-9 });
    }
  }
  gains.sort((a, b) => b.gain - a.gain);
  let left = d.max_kwh ?? Number.POSITIVE_INFINITY;
  for (const { t, piece, gain } of gains) {
    if (gain <= 0 || left <= 1e-9) break;
    const taken = Math.min(piece, left / hoursOf(s, t));
    cut[t] = at(cut, t) + taken;
    left -= taken * hoursOf(s, t);
  }
  return cut;
}
