/**
 * The problem as a mixed-integer program, and a schedule out of its solution. Whole numbers only where they decide:
 * charging steps, on and off above a minimum power, starts of cycles, and directions where energy is worth less
 * than nothing or buying is cheaper than selling.
 */
import type { Evaluation } from '../model.ts';
import { at, type Device, type Scenario, type Schedule } from '../scenario.ts';
import { battery, directions } from './battery.ts';
import { car } from './car.ts';
import { buildEvent } from './events.ts';
import { buildDirectionRules, buildGrid } from './grid.ts';
import { buildGroups } from './groups.ts';
import { heat } from './heat.ts';
import { LinearProgram, type ProgramData, type Term } from './linear-program.ts';
import { appliance, curtailable, solar } from './loads.ts';
import type { DeviceColumns, SlotTerms } from './slot.ts';

export interface Program {
  readonly data: ProgramData;
  schedule(values: ArrayLike<number>): Schedule;
  /** Values of the whole-number columns that belong to a schedule and what it does at the grid. */
  start(schedule: Schedule, grid: Pick<Evaluation, 'import_kw'>): Term[];
}

export function buildProgram(s: Scenario): Program {
  const lp = new LinearProgram();
  const slots = Array.from({ length: s.n }, (_, t): SlotTerms => {
    const fixed_kw = at(s.base_load_kw, t);
    return { net: [], steerable: [], solar: [], fixed_kw, most_kw: fixed_kw, least_kw: fixed_kw };
  });
  const directed = directions(s);
  const own = new Map<string, Term[][]>();
  const devices = s.devices.map((d): [string, DeviceColumns] => {
    const before = slots.map(({ net }) => net.length);
    const columns = build(lp, s, d, slots, directed);
    own.set(
      d.id,
      slots.map(({ net }, t) => net.slice(before[t])),
    );
    return [d.id, columns];
  });
  const grid = buildGrid(lp, s, slots);
  const events = s.events.map((e) => buildEvent(lp, s, e, slots, grid));
  buildDirectionRules(lp, s, slots, grid, devices);
  buildGroups(lp, s, own);
  return {
    data: lp.data(),
    schedule: (values) => Object.fromEntries(devices.map(([id, columns]) => [id, columns.read(values)])),
    start: (schedule, { import_kw }) => [
      ...devices.flatMap(([id, columns]) => columns.start(schedule[id] ?? {})),
      ...grid.importing.map(([t, v]): Term => [v, at(import_kw, t) > 0 ? 1 : 0]),
      ...events.flatMap((start) => start(import_kw)),
    ],
  };
}

function build(
  lp: LinearProgram,
  s: Scenario,
  d: Device,
  slots: readonly SlotTerms[],
  directed: readonly boolean[],
): DeviceColumns {
  if (d.type === 'pv') return solar(lp, d, slots);
  if (d.type === 'battery') return battery(lp, s, d, slots, directed);
  if (d.type === 'ev') return car(lp, s, d, slots);
  if (d.type === 'thermal') return heat(lp, s, d, slots);
  if (d.type === 'appliance') return appliance(lp, s, d, slots);
  return curtailable(lp, s, d, slots);
}
