/** What stores come to by a schedule, kWh in a battery, °C of what holds heat: at the start and at the end of each slot. */
import { nextTemperature } from './model.ts';
import { socChange } from './respond.ts';
import { at, type Scenario, type Schedule } from './scenario.ts';

export function courseOf(s: Scenario, schedule: Schedule): Record<string, number[]> {
  const course: Record<string, number[]> = {};
  for (const d of s.devices) {
    const p = schedule[d.id] ?? {};
    if (d.type === 'battery') {
      course[d.id] = along(
        s,
        d.soc0_kwh,
        (soc, t) => soc + socChange(s, d, t, at(p.charge_kw, t) - at(p.discharge_kw, t)),
      );
    } else if (d.type === 'thermal') {
      course[d.id] = along(s, d.t0_c, (t_c, t) => nextTemperature(s, d, t, t_c, at(p.power_kw, t)));
    }
  }
  return course;
}

function along({ n }: Scenario, start: number, next: (now: number, t: number) => number): number[] {
  const values = [start];
  for (let t = 0; t < n; t++) values.push(next(at(values, t), t));
  return values;
}
