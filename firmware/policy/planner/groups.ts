/**
 * Devices that share a conductor: in each slot they draw no more than `limit_kw` together, each counted with its share. A
 * battery that gives relieves it; what the sun and the rest of the house leave of it is in the limit already.
 */
import { at, type Device, type Group, type Scenario } from './scenario.ts';

export const groupsOf = (s: Scenario): readonly Group[] => s.groups ?? [];

export const shareOf = ({ shares }: Group, { id }: Pick<Device, 'id'>): number =>
  Object.hasOwn(shares, id) ? (shares[id] ?? 0) : 0;

/** The most that a device can draw, kW. */
function most_kw(d: Device): number {
  if (d.type === 'ev' || d.type === 'thermal') return d.max_kw;
  if (d.type === 'battery') return d.charge_max_kw;
  if (d.type === 'curtailable') return Math.max(0, ...d.demand_kw);
  return d.type === 'appliance' ? Math.max(0, ...d.profile_kw) : 0;
}

/** The most that they can draw together, kW. */
export const mostOf = (s: Scenario, group: Group): number =>
  s.devices.reduce((sum, d) => sum + shareOf(group, d) * most_kw(d), 0);

/** Whether they could draw more than the limit of slot `t`. */
export const bindsAt = (group: Group, most: number, t: number): boolean => most > at(group.limit_kw, t);
