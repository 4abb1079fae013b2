/** What the other devices do, and what a device's power costs beside them. */

import { groupsOf, shareOf } from './groups.ts';
import type { BatteryPrices } from './respond.ts';
import { at, type Device, type Group, type Scenario, type Schedule } from './scenario.ts';
import type { SlotCosts } from './slot-cost.ts';
import { netPower } from './slots.ts';

/** By slot, kW; the sun is not counted. */
export interface Others {
  /** Base load and all devices. */
  readonly net: Float64Array;
  readonly steerable: Float64Array;
  /** The most that a battery which only the sun may fill is charged with. */
  readonly charge: Float64Array;
  readonly groups: readonly Crowd[];
}

/** What those of a group draw, each counted with its share. */
interface Crowd {
  readonly group: Group;
  readonly draw: Float64Array;
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
  const groups = groupsOf(s).map((group): Crowd => ({ group, draw: new Float64Array(s.n) }));
  for (const d of s.devices) {
    if (without.includes(d.id) || d.type === 'pv') continue;
    const power = powerOf(d);
    for (let t = 0; t < s.n; t++) {
      const x = at(power, t);
      net[t] = at(net, t) + x;
      if (isSteerable(d)) steerable[t] = at(steerable, t) + Math.max(0, x);
      if (needsSun(d)) charge[t] = Math.max(at(charge, t), x);
      for (const { group, draw } of groups) draw[t] = at(draw, t) + shareOf(group, d) * x;
    }
  }
  return { net, steerable, charge, groups };
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
  return costs.cost(t, net, steerable, charge) + crowding(costs, others, t, powers);
}

/** What it costs that groups are beyond their limits when these devices draw that beside the others. */
export function crowding(
  costs: SlotCosts,
  { groups }: Others,
  t: number,
  powers: readonly (readonly [Device, number])[],
): number {
  if (groups.length === 0) return 0;
  let sum = 0;
  groups.forEach(({ group, draw }, i) => {
    const drawn = powers.reduce((kw, [d, x]) => kw + shareOf(group, d) * x, at(draw, t));
    sum += costs.crowding(t, i, drawn);
  });
  return sum;
}

/** The powers of a device at which a group comes to its limit. */
export const groupKinks = ({ groups }: Others, d: Device, t: number): number[] =>
  groups.flatMap(({ group, draw }) => {
    const share = shareOf(group, d);
    return share > 0 ? [(at(group.limit_kw, t) - at(draw, t)) / share] : [];
  });

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
        ...groupKinks(others, d, t),
      ];
    },
  };
}
