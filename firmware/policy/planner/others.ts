/** What the other devices do, and what a device's power costs beside them. */
import type { BatteryPrices } from './respond.ts';
import { at, type Device, type Scenario, type Schedule } from './scenario.ts';
import type { SlotCosts } from './slot-cost.ts';
import { netPower } from './slots.ts';

/** By slot, kW; the sun is not counted. */
export interface Others {
  /** Base load and all devices. */
  readonly net: Float64Array;
  readonly steerable: Float64Array;
  /** The most that a battery which only the sun may fill is charged with. */
  readonly charge: Float64Array;
}

/** All devices but those `without`, each drawing as `powerOf` says. */
export function othersOf(
  s: Scenario,
  powerOf: (d: Device) => ArrayLike<number> | undefined,
  without: readonly string[] = [],
): Others {
  const net = Float64Array.from(s.base_load_kw);
  const steerable = new Float64Array(s.n);
  const charge = new Float64Array(s.n);
  for (const d of s.devices) {
    if (without.includes(d.id) || d.type === 'pv') continue;
    const power = powerOf(d);
    for (let t = 0; t < s.n; t++) {
      const x = at(power, t);
      net[t] = at(net, t) + x;
      if (isSteerable(d)) steerable[t] = at(steerable, t) + Math.max(0, x);
      if (needsSun(d)) charge[t] = Math.max(at(charge, t), x);
    }
  }
  return { net, steerable, charge };
}

/** The same where they do as scheduled. */
export const scheduled = (s: Scenario, schedule: Schedule, without: readonly string[] = []): Others =>
  othersOf(s, (d) => netPower(s, d, schedule[d.id] ?? {}), without);

const isSteerable = (d: Device): boolean => 'steerable' in d && d.steerable;
const needsSun = (d: Device): boolean => d.type === 'battery' && !d.grid_charge;

/** What slot `t` costs when these devices draw that beside the others. */
export function together(
  costs: SlotCosts,
  others: Others,
  t: number,
  powers: readonly (readonly [Device, number])[],
): number {
  let net = at(others.net, t);
  let steerable = at(others.steerable, t);
  let charge = at(others.charge, t);
  for (const [d, x] of powers) {
    net += x;
    if (isSteerable(d)) steerable += Math.max(0, x);
    if (needsSun(d)) charge = Math.max(charge, x);
  }
  return costs.cost(t, net, steerable, charge);
}

/** What a device's power costs by slot beside the others, and the powers at which that bends. */
export function pricesBeside(d: Device, costs: SlotCosts, others: Others): BatteryPrices {
  return {
    price: (t, x) => together(costs, others, t, [[d, x]]),
    kinks: (t) => {
      const kinks = costs.kinks(t);
      return [
        ...kinks.net_kw.map((x) => x - at(others.net, t)),
        ...kinks.steerable_kw.map((x) => x - at(others.steerable, t)),
        ...(needsSun(d) ? kinks.charge_kw : []),
      ];
    },
  };
}
