/**
 * `hearth simulate`: days of a home in, cost, violations, missing energy and switching counts out, for no control, the
 * cheapest slots, Hearth and hindsight; a chart with `--chart FILE`. A tariff is tried with `--tariff FILE`: the same
 * days priced by another contract. A scenario of the planner is lived through slot by slot on its forecasts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { trialOf } from '../config/trial.ts';
import { HearthError, type Result } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { systemClock } from '../hal/clock.ts';
import { parseEvenScenario } from '../policy/planner/scenario.ts';
import { perDay } from '../policy/simulation/day-slots.ts';
import { type Days, parseDays } from '../policy/simulation/days.ts';
import { drawnDays, type Runs } from '../policy/simulation/days-chart.ts';
import { type Outcome, runHome, type Strategy, terms } from '../policy/simulation/home.ts';
import { minuteLoads, replayMinutes } from '../policy/simulation/minutes.ts';
import { drawnScenario, runScenario } from '../policy/simulation/scenario-run.ts';
import { cheapestSlots, hindsight, noControl, planned } from '../policy/simulation/strategies.ts';
import { underTariff } from '../policy/simulation/tariff.ts';
import { type Solve, solverProcess } from '../policy/solver/process.ts';
import { ownOf } from './own-days.ts';

export interface SimulateOptions {
  readonly chart?: string;
  /** JSON text of another contract. */
  readonly tariff?: string;
  readonly solver?: boolean;
  /** A gateway's configuration: its own last weeks are the days, and nothing is read from stdin. */
  readonly own?: string;
  /** Replay Hearth's plan minute by minute too. */
  readonly minutes?: boolean;
  /** Where progress is drawn; null draws none. */
  readonly progress: NodeJS.WritableStream | null;
}

const SOLVER = { timeLimit_s: 2, gap: 1e-3, memory_MiB: LIMITS.solverMemory_MiB, keepMs: 2_000 };

/** The text of a tariff's file. @throws HearthError USAGE */
export const tariffText = (file: string): string => withFile(file, () => readFileSync(file, 'utf8'));

/** Rejects with SCENARIO_INVALID, OVERSIZED, CONFIG_INVALID, or USAGE where the chart cannot be written. */
export async function simulate(
  stdin: AsyncIterable<Buffer | string>,
  stdout: NodeJS.WritableStream,
  options: SimulateOptions,
): Promise<void> {
  const trial = options.tariff === undefined ? null : must(trialOf(parse(options.tariff)));
  const input = options.own === undefined ? await readInput(stdin) : null;
  const own = options.own === undefined ? null : must(ownOf(options.own, trial !== null));
  const solve = options.solver === false ? null : solverProcess(systemClock(), SOLVER);
  if (isScenario(input)) return lived(input, stdout, solve, options);
  const days = own ? own.days : must(parseDays(input));
  const d = trial ? must(underTariff(trial, days)) : days;
  const runs = await runAll(d, solve, options.progress);
  solve?.end();
  const report = {
    ...reportOf(d, runs, own?.notes ?? []),
    ...(options.minutes && { minutes: minutesOf(d, runs) }),
  };
  stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  draw(options.chart, () => drawnDays(d, runs));
}

function withFile<T>(file: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new HearthError('USAGE', cause instanceof Error ? cause.message : file, cause);
  }
}

function draw(file: string | undefined, svg: () => string): void {
  if (file !== undefined) withFile(file, () => writeFileSync(file, svg()));
}

async function readInput(stdin: AsyncIterable<Buffer | string>): Promise<unknown> {
  let text = '';
  for await (const chunk of stdin) {
    text += chunk.toString();
    if (text.length > LIMITS.simulatedDays_bytes) throw new HearthError('OVERSIZED', 'the days are too long');
  }
  return parse(text);
}

const isScenario = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && 'format' in input && input.format === 'hems-scenario/1';

/** One scenario of the planner, slot by slot on its forecasts. */
async function lived(
  input: unknown,
  stdout: NodeJS.WritableStream,
  solve: Solve | null,
  options: SimulateOptions,
): Promise<void> {
  const s = must(parseEvenScenario(input));
  const run = await runScenario(s, solve, (share) => bar(options.progress, 'Hearth', share));
  solve?.end();
  options.progress?.write('\n');
  stdout.write(`${JSON.stringify({ scenario: s.id, ...run.report }, null, 2)}\n`);
  draw(options.chart, () => drawnScenario(s, run));
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new HearthError(result.error.code, result.error.message);
  return result.value;
}

async function runAll(d: Days, solve: Solve | null, progress: NodeJS.WritableStream | null): Promise<Runs> {
  const strategies: [string, Strategy][] = [
    ['no control', noControl(d)],
    ['cheapest slots', cheapestSlots(d)],
    ['Hearth', planned(d, solve)],
    ['hindsight', hindsight(d, solve)],
  ];
  const runs = new Map<string, Outcome>();
  for (const [name, strategy] of strategies) {
    runs.set(name, await runHome(d, strategy, (share) => bar(progress, name, share)));
    bar(progress, name, 1);
    progress?.write('\n');
  }
  return runs;
}

const BAR = 40;
function bar(to: NodeJS.WritableStream | null, name: string, share: number): void {
  const full = Math.round(share * BAR);
  to?.write(
    `\r${name.padEnd(16)}[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${Math.floor(share * 100)} %`,
  );
}

function reportOf(d: Days, runs: Runs, notes: readonly string[]): Record<string, unknown> {
  const round = (x: number): number => Number(x.toFixed(3));
  const best = runs.get('hindsight')?.cost ?? 0;
  const dumb = runs.get('no control')?.cost ?? 0;
  const rows = [...runs].map(([name, o]) => [
    name,
    {
      cost: round(o.cost),
      overHindsight: round(o.cost - best),
      captured: dumb - best > 1e-9 ? round((dumb - o.cost) / (dumb - best)) : null,
      import_kwh: round(o.import_kwh),
      export_kwh: round(o.export_kwh),
      carMissing_kwh: round(o.missing_kwh),
      overLimits_kwh: round(o.violations_kwh),
      switches: o.switches,
    },
  ]);
  const days = d.base_load_kw.length / perDay(d);
  return {
    ...{ name: d.name, currency: d.currency, days: round(days) },
    runs: Object.fromEntries(rows),
    notes: [...notes, ...terms(d)],
  };
}

/** The load of the minutes is drawn, its means are the given ones: the report says so. */
function minutesOf(d: Days, runs: Runs): Record<string, unknown> | null {
  const plan = runs.get('Hearth');
  if (!plan) return null;
  const { means, watts, modes } = replayMinutes(d, plan, minuteLoads(d, 1));
  const round = (x: number): number => Number(x.toFixed(3));
  return { load: 'drawn within each slot', means: round(means), watts: round(watts), modes: round(modes) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
