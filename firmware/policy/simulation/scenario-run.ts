/** A scenario of the planner lived through slot by slot on its forecasts, beside the plan that knows everything. */
import type { Result } from '../../domain/errors.ts';
import { discomfort, type Evaluation, nextTemperature } from '../planner/model.ts';
import { makePlan, type SolveProgram } from '../planner/planner.ts';
import { RollingPlanner, type StepAnswer } from '../planner/rolling.ts';
import { at, type Scenario, type Schedule } from '../planner/scenario.ts';
import { netPower } from '../planner/slots.ts';
import { chart, type Line } from './chart.ts';
import { forecastOf, replay } from './rolling-home.ts';

export interface ScenarioReport {
  readonly cost: number;
  readonly foresight: { readonly cost: number; readonly bound: number | null };
  readonly violations: Evaluation['violations'];
  /** Kelvin hours outside the comfort bands, all thermal devices. */
  readonly discomfort_kh: number;
  /** By device: how often it went on or off, or a battery changed its direction. */
  readonly switches: Readonly<Record<string, number>>;
}

export interface ScenarioRun {
  readonly report: ScenarioReport;
  readonly schedule: Schedule;
  readonly import_kw: Float64Array;
  readonly export_kw: Float64Array;
}

export async function runScenario(
  s: Scenario,
  solve: SolveProgram | null,
  progress: (share: number) => void,
): Promise<ScenarioRun> {
  const planner = new RollingPlanner(forecastOf(s), { solve });
  let slots = 0;
  const step = (message: unknown): Promise<Result<StepAnswer>> => {
    progress(slots++ / s.n);
    return planner.step(message);
  };
  const { cost, violations, schedule, import_kw, export_kw } = await replay(s, step);
  const { certificate } = await makePlan(s, { solve });
  const foresight = { cost: certificate.cost, bound: certificate.bound };
  const switches = Object.fromEntries(
    s.devices
      .filter((d) => d.type !== 'pv' && d.type !== 'appliance' && d.type !== 'curtailable')
      .map((d) => [d.id, changes(netPower(s, d, schedule[d.id] ?? {}))]),
  );
  const report = { cost, foresight, violations, discomfort_kh: outsideComfort(s, schedule), switches };
  return { report, schedule, import_kw, export_kw };
}

function outsideComfort(s: Scenario, schedule: Schedule): number {
  let sum = 0;
  for (const d of s.devices) {
    if (d.type !== 'thermal') continue;
    let t_c = d.t0_c;
    for (let t = 0; t < s.n; t++) {
      t_c = nextTemperature(s, d, t, t_c, at(schedule[d.id]?.power_kw, t));
      sum += discomfort(s, { ...d, discomfort_per_kh: 1 }, t, t_c);
    }
  }
  return sum;
}

function changes(power_kw: Float64Array): number {
  const sign = (x: number): number => (Math.abs(x) < 0.001 ? 0 : Math.sign(x));
  return power_kw.reduce((n, x, t) => n + (t > 0 && sign(x) !== sign(at(power_kw, t - 1)) ? 1 : 0), 0);
}

const COLOURS = ['#0a7d46', '#d08700', '#b03060', '#6a4fb0', '#00838f', '#8d6e63'];

export function drawnScenario(s: Scenario, { schedule, import_kw, export_kw }: ScenarioRun): string {
  const line = (name: string, values: ArrayLike<number>, colour: string): Line => ({
    name,
    colour,
    steps: true,
    values: Array.from(values),
  });
  const loads = s.devices.filter((d) => d.type !== 'pv');
  const grid = Float64Array.from(import_kw, (x, t) => x - at(export_kw, t));
  const panels = [
    { title: 'Price', unit: 'per kWh', lines: [line('import', s.prices.import, '#1f5fbf')] },
    { title: 'Connection', unit: 'kW', lines: [line('import', grid, '#333333')] },
    {
      title: 'Devices',
      unit: 'kW',
      lines: loads
        .slice(0, COLOURS.length)
        .map((d, i) => line(d.id, netPower(s, d, schedule[d.id] ?? {}), COLOURS[i] ?? '#000000')),
    },
  ];
  const hours = s.n * s.dt_h;
  const labels = Array.from({ length: Math.max(1, Math.floor(hours / 3)) }, (_, i) => `+${i * 3} h`);
  return chart(s.id, panels, labels);
}
