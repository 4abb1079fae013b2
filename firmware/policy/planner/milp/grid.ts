/** The grid connection in the program: balance, connection limits, peak; and what batteries may not do with it. */
import { billedPeriods } from '../billing.ts';
import { at, importPrice, type Scenario } from '../scenario.ts';
import { breachPrice } from '../slot-cost.ts';
import { hoursOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import type { DeviceColumns, SlotTerms } from './slot.ts';

export interface Grid {
  /** Import within the connection's limit, by slot. */
  readonly taken: number[];
  /** Export within the limit. */
  readonly fed: number[];
  /** Decisions, by slot: import (1) or export. */
  readonly importing: [slot: number, variable: number][];
}

export function buildGrid(lp: LinearProgram, s: Scenario, slots: readonly SlotTerms[]): Grid {
  const grid: Grid = { taken: [], fed: [], importing: [] };
  slots.forEach((slot, t) => {
    balance(lp, s, slot, t, grid);
  });
  const peak = s.grid.peak;
  if (!peak || peak.price_per_kw <= 0) return grid;
  const above = lp.variable(peak.price_per_kw, 0, Number.POSITIVE_INFINITY);
  for (const { from, until, hours, past_kwh } of billedPeriods(s)) {
    const mean = grid.taken.slice(from, until).map((i, k): Term => [i, hoursOf(s, from + k) / hours]);
    lp.row([...mean, [above, -1]], '<=', peak.free_kw - past_kwh / hours);
  }
  return grid;
}

/** Import − export = net power. What exceeds a limit is a column of its own, dearer than any tariff. */
function balance(lp: LinearProgram, s: Scenario, slot: SlotTerms, t: number, grid: Grid): void {
  const buy = importPrice(s, t);
  const sell = at(s.prices.export, t);
  const breach = breachPrice(s);
  const hours = hoursOf(s, t);
  const most = Math.max(0, slot.most_kw);
  const least = Math.max(0, -slot.least_kw);
  const i = lp.variable(hours * buy, 0, Math.min(most, s.grid.import_max_kw));
  const x = lp.variable(-hours * sell, 0, Math.min(least, s.grid.export_max_kw));
  const terms: Term[] = [
    [i, 1],
    [x, -1],
  ];
  if (most > s.grid.import_max_kw) terms.push([lp.variable(hours * (buy + breach), 0, most), 1]);
  if (least > s.grid.export_max_kw) terms.push([lp.variable(hours * (breach - sell), 0, least), -1]);
  lp.row([...terms, ...slot.net.map(([v, f]): Term => [v, -f])], '=', slot.fixed_kw);
  if (buy < sell && most > 0 && least > 0) {
    const importing = lp.binary();
    lp.onlyWith(i, Math.min(most, s.grid.import_max_kw), importing);
    lp.onlyWithout(x, Math.min(least, s.grid.export_max_kw), importing);
    grid.importing.push([t, importing]);
  }
  grid.taken.push(i);
  grid.fed.push(x);
}

/** Batteries that may only be charged from solar, or must not feed in. */
export function buildDirectionRules(
  lp: LinearProgram,
  s: Scenario,
  slots: readonly SlotTerms[],
  grid: Grid,
  devices: readonly [string, DeviceColumns][],
): void {
  for (const d of s.devices) {
    if (d.type !== 'battery') continue;
    const charge = devices.find(([id]) => id === d.id)?.[1].charge ?? [];
    slots.forEach((slot, t) => {
      const solar = slot.solar.map(([v, f]): Term => [v, -f]);
      if (!d.grid_charge) lp.row([[charge[t] ?? 0, 1], ...solar], '<=', 0);
      if (!d.grid_discharge) lp.row([[grid.fed[t] ?? 0, 1], ...solar], '<=', 0);
    });
  }
}
