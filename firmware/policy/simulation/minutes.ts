/**
 * A plan replayed minute by minute: what a mean over the slot hides. Once with the planned watts held for the whole slot,
 * once with what the plan meant by them (followers' modes) carried out on each minute's load. Import and export are
 * settled by the minute, as a meter does that keeps two registers.
 */
import type { Mode } from '../../domain/mode.ts';
import { modesOf } from '../followers/modes-of.ts';
import { at } from '../planner/scenario.ts';
import type { Days } from './days.ts';
import { type Outcome, settled } from './home.ts';

export interface MinuteReplay {
  /** Cost in the slots' means, with watts held, and with modes followed. */
  readonly means: number;
  readonly watts: number;
  readonly modes: number;
}

/**
 * Minutes of a load of which only the slots' means are known: a steady part, and the rest in pulses of 2 kW of some
 * minutes, drawn from `seed`. The means stay what they were.
 */
export function minuteLoads(d: Days, seed: number): Float64Array {
  const per = Math.round(d.dt_h * 60);
  const minutes = new Float64Array(d.base_load_kw.length * per);
  const random = numbers(seed);
  d.base_load_kw.forEach((mean, t) => {
    const steady = Math.min(mean, 0.15 + 0.25 * mean);
    for (let i = 0; i < per; i++) minutes[t * per + i] = steady;
    let left = (mean - steady) * per;
    while (left > 1e-9) {
      const begin = Math.floor(random() * per);
      const length = 2 + Math.floor(random() * 8);
      for (let i = begin; i < Math.min(per, begin + length) && left > 1e-9; i++) {
        const more = Math.min(2, left);
        minutes[t * per + i] = at(minutes, t * per + i) + more;
        left -= more;
      }
    }
  });
  return minutes;
}

/** Numbers in [0, 1) that are the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function replayMinutes(d: Days, plan: Outcome, load_kw: Float64Array): MinuteReplay {
  const modes = plannedModes(d, plan);
  return {
    means: plan.cost,
    watts: run(d, plan, load_kw, (t) => at(plan.battery_kw, t)),
    modes: run(d, plan, load_kw, (t, net_kw) => followed(modes[t], net_kw)),
  };
}

function plannedModes(d: Days, plan: Outcome): (Mode | undefined)[] {
  const slots = d.base_load_kw.map((_, t) => ({
    fromMs: t,
    untilMs: t + 1,
    grid_W: at(plan.import_kw, t) * 1000,
    devices: {
      battery: { is: 'battery' as const, power_W: at(plan.battery_kw, t) * 1000, most_W: 0 },
    },
  }));
  return (modesOf(slots).battery ?? []).map((s) => s.mode);
}

/** Battery power (kW, charging positive) that a mode asks for while the rest of the house draws `net_kw`. */
function followed(mode: Mode | undefined, net_kw: number): number {
  switch (mode?.kind) {
    case 'charge':
      return mode.upTo_W / 1000;
    case 'discharge':
      return -mode.target_W / 1000;
    case 'gridTarget':
      return mode.grid_W / 1000 - net_kw;
    case 'selfConsume': {
      const { chargeUpTo_W = Infinity, dischargeUpTo_W = Infinity } = mode;
      return Math.min(chargeUpTo_W / 1000, Math.max(-dischargeUpTo_W / 1000, -net_kw));
    }
    default:
      return 0;
  }
}

function run(
  d: Days,
  plan: Outcome,
  load_kw: Float64Array,
  battery: (t: number, net_kw: number) => number,
): number {
  const per = Math.round(d.dt_h * 60);
  const b = d.battery;
  let soc = at(plan.soc_kwh, 0) - stored(d, at(plan.battery_kw, 0), d.dt_h);
  let cost = 0;
  for (let m = 0; m < load_kw.length; m++) {
    const t = Math.floor(m / per);
    const net = at(load_kw, m) - at(d.pv_kw, t) + at(plan.car_kw, t);
    const power = b ? possible(d, soc, battery(t, net)) : 0;
    soc += stored(d, power, 1 / 60);
    const total = net + power;
    cost += (total > 0 ? total * at(d.prices.import, t) : total * at(d.prices.export, t)) / 60;
    cost += (Math.max(0, -power) * (b?.wear_per_kwh ?? 0)) / 60;
  }
  return cost + settled(d, soc, plan.missing_kwh);
}

const stored = ({ battery: b }: Days, power: number, hours: number): number =>
  b ? hours * (power > 0 ? power * b.eta_charge : power / b.eta_discharge) : 0;

function possible({ battery: b }: Days, soc_kwh: number, power: number): number {
  if (!b) return 0;
  const room = Math.max(0, ((b.capacity_kwh - soc_kwh) * 60) / b.eta_charge);
  const left = Math.max(0, (soc_kwh - b.least_kwh) * 60 * b.eta_discharge);
  return Math.max(-Math.min(b.discharge_max_kw, left), Math.min(b.charge_max_kw, room, power));
}
