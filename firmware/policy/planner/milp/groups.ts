/** Devices that share a conductor, in the program: a row for each slot in which they could draw too much together. */
import { bindsAt, groupsOf, mostOf, shareOf } from '../groups.ts';
import { at, type Scenario } from '../scenario.ts';
import { breachPrice } from '../slot-cost.ts';
import { hoursOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';

/** @param own by device and slot, its terms of net power */
export function buildGroups(lp: LinearProgram, s: Scenario, own: ReadonlyMap<string, Term[][]>): void {
  for (const group of groupsOf(s)) {
    const most = mostOf(s, group);
    for (let t = 0; t < s.n; t++) {
      if (!bindsAt(group, most, t)) continue;
      const drawn = s.devices.flatMap((d) => {
        const share = d.type === 'pv' ? 0 : shareOf(group, d);
        return share > 0 ? (own.get(d.id)?.[t] ?? []).map(([v, kw]): Term => [v, share * kw]) : [];
      });
      const beyond = lp.variable(hoursOf(s, t) * breachPrice(s), 0, 1e4);
      lp.row([...drawn, [beyond, -1]], '<=', at(group.limit_kw, t));
    }
  }
}
