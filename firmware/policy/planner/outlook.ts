/**
 * What may come, for deciding what a battery does now: load and sun in a few states each that last for a while, with
 * spreads learnt from the errors seen so far. Energy that is bought now may find the battery full when the sun shines
 * more than forecast, and a battery that is emptied now misses the peak that nobody forecast: with one expected
 * course both would cost nothing.
 */
import { energyValue, type Outlook, type SlotView } from './battery-value.ts';
import { highestMean } from './billing.ts';
import { evaluate } from './model.ts';
import { crowding, groupKinks, type Others, scheduled } from './others.ts';
import { socChange } from './respond.ts';
import { at, type Device, type DeviceOf, isWindow, type Scenario, type Schedule } from './scenario.ts';
import { type Coupling, type SlotCosts, slotCosts } from './slot-cost.ts';
import { hoursOf } from './slots.ts';

/** How far reality may be from what is expected. */
export interface Spread {
  /** Standard deviation of the base load, kW. */
  readonly load_kw: number;
  /** Relative standard deviation of solar, by slot. */
  readonly solar: readonly number[];
  /** Whether a day begins with this slot: its sun has little to do with that of the day before. */
  readonly newDay: readonly boolean[];
  /** Energy for the battery from the grid must save that much beyond its losses and wear, per kWh. */
  readonly margin_per_kwh: number;
}

/** Offsets in standard deviations and their chances: a load is more often a little lower than much higher. */
const LOAD_STATES: readonly State[] = [
  { offset: -0.9, chance: 0.35 },
  { offset: 0, chance: 0.44 },
  { offset: 1.5, chance: 0.21 },
];
const SOLAR_STATES: readonly State[] = [
  { offset: -1.2, chance: 0.3 },
  { offset: 0, chance: 0.4 },
  { offset: 1.2, chance: 0.3 },
];
interface State {
  readonly offset: number;
  readonly chance: number;
}
/** The chance that a state lasts for another hour. */
const LOAD_LASTS = 0.8;
const SOLAR_LASTS = 0.85;
const SOLAR_FACTOR = { least: 0.1, most: 2.5 };

/**
 * `schedule` with the first slots of its batteries decided anew: `now` slots are taken as known, what follows may turn out
 * as `spread` says, all other devices keep to the schedule. It stays as it is where the cost of a slot cannot be told on
 * its own (energy windows).
 */
export function hedged(s: Scenario, schedule: Schedule, spread: Spread, now = 1): Schedule {
  const batteries = s.devices.filter((d) => d.type === 'battery');
  if (batteries.length === 0 || s.events.some((e) => e.kind === 'incentive' || isWindow(e))) return schedule;
  const coupling: Coupling = { threshold_kw: ceiling(s, schedule), window_per_kwh: null };
  const known = slotCosts(s, coupling);
  const next = { ...schedule };
  for (const d of batteries) {
    const others = besideOf(s, d, next, spread.margin_per_kwh);
    const seen = (t: number): SlotView => viewOf(s, d, known, others, t, 0);
    const value = energyValue(s, d, outlookOf(s, d, others, coupling, spread, { slots: now, view: seen }));
    let soc_kwh = d.soc0_kwh;
    for (let t = 0; t < now; t++) {
      const power = value.best(t, 0, seen(t), soc_kwh);
      soc_kwh += socChange(s, d, t, power);
      next[d.id] = {
        charge_kw: withSlot(s, t, next[d.id]?.charge_kw, Math.max(0, power)),
        discharge_kw: withSlot(s, t, next[d.id]?.discharge_kw, Math.max(0, -power)),
      };
    }
  }
  for (let t = 0; t < now; t++) useSun(s, t, next, known);
  return next;
}

const withSlot = (s: Scenario, t: number, series: readonly number[] | undefined, x: number): number[] =>
  (series ?? new Array<number>(s.n).fill(0)).with(t, x);

/** Solar in a slot as far as it pays beside what the loads now do. */
function useSun(s: Scenario, t: number, schedule: Schedule, costs: SlotCosts): void {
  const { net, steerable, charge } = scheduled(s, schedule);
  let left = costs.solar(t, at(net, t), at(steerable, t), at(charge, t));
  for (const d of s.devices) if (d.type === 'pv' && !d.curtailable) left -= at(d.available_kw, t);
  for (const d of s.devices) {
    if (d.type !== 'pv' || !d.curtailable) continue;
    const used = Math.min(at(d.available_kw, t), Math.max(0, left));
    schedule[d.id] = { used_kw: withSlot(s, t, schedule[d.id]?.used_kw ?? d.available_kw, used) };
    left -= used;
  }
}

/** Peaks up to the one that is planned are paid for. */
function ceiling(s: Scenario, schedule: Schedule): number | null {
  if (!s.grid.peak) return null;
  return Math.max(s.grid.peak.free_kw, highestMean(s, evaluate(s, schedule).import_kw));
}

/** The slots that are taken as known, and how they look. */
interface Now {
  readonly slots: number;
  view(t: number): SlotView;
}

function outlookOf(
  s: Scenario,
  d: DeviceOf<'battery'>,
  others: Beside,
  coupling: Coupling,
  spread: Spread,
  now: Now,
): Outlook {
  const sunny = s.devices.some(
    (x) => x.type === 'pv' && x.available_kw.some((p, t) => t >= now.slots && p > 0),
  );
  const suns = sunny ? SOLAR_STATES : [{ offset: 0, chance: 1 }];
  const costs = suns.map(({ offset }) => slotCosts(withSun(s, spread, offset), coupling));
  const states = LOAD_STATES.flatMap((load) => suns.map((sun, i) => ({ load, sun, costs: costs[i] })));
  const chancesAfter = (hours: number): Chances => {
    const lasting = LOAD_LASTS ** hours;
    const chances = (from: number, sunLasts: number): number[] =>
      states.map(({ load, sun }, to) => {
        const sameLoad = Math.floor(from / suns.length) === Math.floor(to / suns.length) ? lasting : 0;
        const sameSun = from % suns.length === to % suns.length ? sunLasts : 0;
        return (sameLoad + (1 - lasting) * load.chance) * (sameSun + (1 - sunLasts) * sun.chance);
      });
    return {
      within: states.map((_, k) => chances(k, SOLAR_LASTS ** hours)),
      overnight: states.map((_, k) => chances(k, 0)),
    };
  };
  /** By length of a slot, h. */
  const lengths = new Map<number, Chances>();
  for (let t = 0; t < s.n; t++)
    if (!lengths.has(hoursOf(s, t))) lengths.set(hoursOf(s, t), chancesAfter(hoursOf(s, t)));
  const any = states.map(({ load, sun }) => load.chance * sun.chance);
  return {
    states: states.length,
    view: (t, k) => {
      if (t < now.slots) return now.view(t);
      const state = states[k];
      const offset_kw = (state?.load.offset ?? 0) * spread.load_kw;
      return viewOf(s, d, state?.costs, others, t, offset_kw);
    },
    chances: (t, k) => {
      if (t < now.slots) return any;
      return lengths.get(hoursOf(s, t))?.[spread.newDay[t + 1] ? 'overnight' : 'within'][k] ?? any;
    },
  };
}

/** By state, those of the states a slot later: on the same day, and on the next. */
interface Chances {
  readonly within: readonly number[][];
  readonly overnight: readonly number[][];
}

function withSun(s: Scenario, spread: Spread, offset: number): Scenario {
  const { least, most } = SOLAR_FACTOR;
  const devices = s.devices.map((d) => {
    if (d.type !== 'pv') return d;
    const factor = (t: number): number => Math.min(most, Math.max(least, 1 + offset * at(spread.solar, t)));
    return { ...d, available_kw: d.available_kw.map((x, t) => x * factor(t)) };
  });
  return { ...s, devices };
}

/** What everything but the battery and the sun draws; the sun that is expected, and what passes its surplus costs. */
interface Beside extends Others {
  readonly solar: Float64Array;
  readonly margin_per_kwh: number;
}

function besideOf(s: Scenario, d: Device, schedule: Schedule, margin_per_kwh: number): Beside {
  const solar = new Float64Array(s.n);
  for (const pv of s.devices)
    if (pv.type === 'pv')
      pv.available_kw.forEach((x, t) => {
        solar[t] = at(solar, t) + x;
      });
  return { ...scheduled(s, schedule, [d.id]), solar, margin_per_kwh };
}

function viewOf(
  s: Scenario,
  d: DeviceOf<'battery'>,
  costs: SlotCosts | undefined,
  others: Beside,
  t: number,
  offset_kw: number,
): SlotView {
  const base = Math.max(0, at(others.net, t) + offset_kw);
  const steerable = at(others.steerable, t);
  const charge = at(others.charge, t);
  const surplus = Math.max(0, at(others.solar, t) - base);
  const kinks = costs?.kinks(t);
  const margin = others.margin_per_kwh * hoursOf(s, t);
  return {
    cost: (p) =>
      margin * Math.max(0, p - surplus) +
      (costs?.cost(
        t,
        base + p,
        steerable + (d.steerable ? Math.max(0, p) : 0),
        d.grid_charge ? charge : Math.max(charge, p),
      ) ?? 0) +
      (costs ? crowding(costs, others, t, [[d, p]]) : 0),
    kinks_kw: kinks
      ? [
          ...kinks.net_kw.map((x) => x - base),
          ...kinks.steerable_kw.map((x) => x - steerable),
          ...(d.grid_charge ? [] : kinks.charge_kw),
          ...groupKinks(others, d, t),
        ]
      : [],
  };
}
