/** A home of six slots with a car and a washer, small enough to try everything. */
import { evaluate } from '../../firmware/policy/planner/model.ts';
import { parseScenario, type Scenario } from '../../firmware/policy/planner/scenario.ts';

export const flat = (n: number, x: number): number[] => new Array<number>(n).fill(x);
export const ev = {
  id: 'ev',
  type: 'ev',
  arrive_slot: 0,
  depart_slot: 6,
  required_kwh: 3,
  capacity_left_kwh: 4,
  min_kw: 2,
  max_kw: 4,
  step_kw: 1,
  unserved_per_kwh: 2,
  steerable: true,
};
export const washer = {
  id: 'washer',
  type: 'appliance',
  profile_kw: [2, 1],
  earliest_slot: 1,
  latest_end_slot: 6,
  skip_penalty: null,
};

export function scenario(changes: Record<string, unknown> = {}): Scenario {
  const read = parseScenario({
    format: 'hems-scenario/1',
    id: 'tiny',
    n: 6,
    dt_h: 0.5,
    grid: { import_max_kw: 5, export_max_kw: 3, peak: { price_per_kw: 0.3, free_kw: 3 } },
    prices: { import: [0.3, 0.1, 0.25, 0.12, 0.4, 0.2], export: flat(6, 0.05) },
    base_load_kw: [0.5, 1.5, 0.4, 0.6, 0.5, 0.5],
    devices: [ev, washer],
    events: [],
    ...changes,
  });
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

/** Every schedule of the tiny home, one by one. */
export function bruteForce(s: Scenario): number {
  let best = Number.POSITIVE_INFINITY;
  const levels = [0, 2, 3, 4];
  for (let code = 0; code < levels.length ** s.n; code++) {
    const power_kw = Array.from(
      { length: s.n },
      (_, t) => levels[Math.floor(code / levels.length ** t) % levels.length] ?? 0,
    );
    for (let start = 1; start <= 4; start++) {
      const result = evaluate(s, { ev: { power_kw }, washer: { start } });
      if (result.feasible) best = Math.min(best, result.cost);
    }
  }
  return best;
}
