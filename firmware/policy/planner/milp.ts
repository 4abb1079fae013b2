/**
 * The problem as a mixed-integer program, and a schedule out of its solution. Whole numbers only where they decide:
 * charging steps, on and off above a minimum power, starts of cycles, and directions where energy is worth less
 * than nothing or buying is cheaper than selling.
 */
import { LinearProgram, type Term } from './linear-program.ts';
import { buildDevice, type DeviceColumns, type SlotTerms } from './milp-devices.ts';
import {
  at,
  importPrice,
  isWindow,
  limitAt,
  type PlanEvent,
  type Scenario,
  type Schedule,
  windowEnergy,
} from './scenario.ts';
import { breachPrice } from './slot-cost.ts';

export interface Program {
  readonly text: string;
  readonly columns: number;
  schedule(values: ArrayLike<number>): Schedule;
}

interface Grid {
  readonly taken: number[];
  readonly fed: number[];
}

export function buildProgram(s: Scenario): Program {
  const lp = new LinearProgram();
  const slots: SlotTerms[] = Array.from({ length: s.n }, () => ({
    net: [],
    steerable: [],
    solar: [],
    fixed_kw: 0,
    fixedSteerable_kw: 0,
  }));
  slots.forEach((x, t) => {
    x.fixed_kw = at(s.base_load_kw, t);
  });
  const directed = Array.from({ length: s.n }, (_, t) => isDirected(s, t));
  const devices: [string, DeviceColumns][] = s.devices.map((d) => [
    d.id,
    buildDevice(lp, s, d, slots, directed),
  ]);
  const grid = buildGrid(lp, s, slots);
  for (const e of s.events) buildEvent(lp, s, e, slots, grid);
  buildDirectionRules(lp, s, slots, grid, devices);
  return {
    text: lp.text(),
    columns: lp.columns,
    schedule: (values) => Object.fromEntries(devices.map(([id, columns]) => [id, columns.read(values)])),
  };
}

/** Whether burning energy may pay in this slot, so that a battery must be told to go one way only. */
function isDirected(s: Scenario, t: number): boolean {
  const stuck = s.devices.some((d) => d.type === 'pv' && !d.curtailable && at(d.available_kw, t) > 0);
  const limited = s.events.some((e) => e.kind === 'export_limit' && t >= e.start && t < e.end);
  return importPrice(s, t) <= 0 || (stuck && (at(s.prices.export, t) <= 0 || limited));
}

function buildGrid(lp: LinearProgram, s: Scenario, slots: readonly SlotTerms[]): Grid {
  const peak = s.grid.peak && s.grid.peak.price_per_kw > 0 ? s.grid.peak : null;
  const above = peak ? lp.variable(peak.price_per_kw, 0, Number.POSITIVE_INFINITY) : null;
  const taken: number[] = [];
  const fed: number[] = [];
  slots.forEach((slot, t) => {
    const buy = importPrice(s, t);
    const sell = at(s.prices.export, t);
    const most = s.grid.import_max_kw + slot.fixed_kw + 100;
    const i = lp.variable(s.dt_h * buy, 0, most);
    const x = lp.variable(-s.dt_h * sell, 0, s.grid.export_max_kw + 100);
    lp.row(
      [
        [i, 1],
        [lp.variable(s.dt_h * breachPrice(s), 0, most), -1],
      ],
      '<=',
      s.grid.import_max_kw,
    );
    lp.row(
      [
        [x, 1],
        [lp.variable(s.dt_h * breachPrice(s), 0, 200), -1],
      ],
      '<=',
      s.grid.export_max_kw,
    );
    lp.row([[i, 1], [x, -1], ...slot.net.map(([v, f]): Term => [v, -f])], '=', slot.fixed_kw);
    if (buy < sell) {
      const importing = lp.binary();
      lp.row(
        [
          [i, 1],
          [importing, -(s.grid.import_max_kw + 1)],
        ],
        '<=',
        0,
      );
      lp.row(
        [
          [x, 1],
          [importing, s.grid.export_max_kw + 1],
        ],
        '<=',
        s.grid.export_max_kw + 1,
      );
    }
    if (above !== null && peak)
      lp.row(
        [
          [i, 1],
          [above, -1],
        ],
        '<=',
        peak.free_kw,
      );
    taken.push(i);
    fed.push(x);
  });
  return { taken, fed };
}

function buildEvent(
  lp: LinearProgram,
  s: Scenario,
  e: PlanEvent,
  slots: readonly SlotTerms[],
  grid: Grid,
): void {
  const price = e.hard ? breachPrice(s) : (e.penalty_per_kwh ?? 0);
  const window = (): Term[] => grid.taken.slice(e.start, e.end).map((v) => [v, s.dt_h]);
  const big = s.grid.import_max_kw + 50;
  if (e.kind === 'incentive') {
    const base = windowEnergy(e, s.dt_h);
    if (base <= 0) return;
    const reward = lp.variable(-(e.reward_per_kwh ?? 0), 0, base);
    const won = lp.binary();
    lp.row(
      [
        [reward, 1],
        [won, -base],
      ],
      '<=',
      0,
    );
    const most = (e.end - e.start) * s.dt_h * big;
    lp.row([[reward, 1], ...window(), [won, most]], '<=', base + most);
    return;
  }
  if (isWindow(e)) {
    lp.row([...window(), [lp.variable(price, 0, 1e5), -1]], '<=', Math.max(0, windowEnergy(e, s.dt_h)));
    return;
  }
  for (let t = e.start; t < e.end; t++) {
    const limit = limitAt(e, t) ?? 0;
    const beyond: Term = [lp.variable(s.dt_h * price, 0, 1e4), -1];
    const taken: Term = [grid.taken[t] ?? 0, 1];
    if (e.kind === 'export_limit') lp.row([[grid.fed[t] ?? 0, 1], beyond], '<=', limit);
    else if (e.kind !== 'steerable_limit') lp.row([taken, beyond], '<=', limit);
    else {
      // Either the steerable devices stay under the limit, or the whole import does.
      const own = lp.binary();
      const slot = slots[t];
      lp.row([taken, beyond, [own, big]], '<=', limit + big);
      lp.row([...(slot?.steerable ?? []), beyond, [own, -big]], '<=', limit - (slot?.fixedSteerable_kw ?? 0));
    }
  }
}

function buildDirectionRules(
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
