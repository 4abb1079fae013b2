/** `hearth plan`: a scenario in, its schedule out; `--rolling`: slot by slot, one JSON object a line. */
import { once } from 'node:events';
import { HearthError, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { systemClock } from '../hal/clock.ts';
import { makePlan } from '../policy/planner/planner.ts';
import { RollingPlanner, type StepAnswer } from '../policy/planner/rolling.ts';
import { parseEvenScenario, parseScenario } from '../policy/planner/scenario.ts';
import { type Solve, solverProcess } from '../policy/solver/process.ts';

export interface PlanCommandOptions {
  /** Speak the line protocol of the rolling variant. */
  readonly rolling?: boolean;
  /** `false` plans without the solver. */
  readonly solver?: boolean;
  /** Seconds that the solver may take for one plan. */
  readonly timeLimit_s?: number;
}

const TIME_LIMIT_s = 3;
const ROLLING_TIME_LIMIT_s = 1.5;
const ROLLING_KEEP_MS = 1_000;

/** Rejects with SCENARIO_INVALID; a plan that breaks a limit is printed with its fault, PLAN_INFEASIBLE. */
export async function plan(
  stdin: AsyncIterable<Buffer | string>,
  stdout: NodeJS.WritableStream,
  options: PlanCommandOptions = {},
): Promise<void> {
  const timeLimit_s = options.timeLimit_s ?? (options.rolling ? ROLLING_TIME_LIMIT_s : TIME_LIMIT_s);
  const solve =
    options.solver === false
      ? null
      : solverProcess(systemClock(), {
          timeLimit_s,
          gap: options.rolling ? 1e-3 : 5e-4,
          memory_MiB: LIMITS.solverMemory_MiB,
          ...(options.rolling && { keepMs: ROLLING_KEEP_MS }),
        });
  await (options.rolling ? roll(stdin, stdout, solve) : single(stdin, stdout, solve));
  solve?.end();
}

async function single(
  stdin: AsyncIterable<Buffer | string>,
  stdout: NodeJS.WritableStream,
  solve: Solve | null,
): Promise<void> {
  let text = '';
  for await (const chunk of stdin) {
    text += chunk.toString();
    if (text.length > LIMITS.planScenario_bytes)
      throw new HearthError('OVERSIZED', 'the scenario is too long');
  }
  const scenario = parseScenario(parse(text));
  if (!scenario.ok) throw new HearthError(scenario.error.code, scenario.error.message);
  const { schedule, certificate, faults } = await makePlan(scenario.value, { solve });
  await print(stdout, { scenario: scenario.value.id, devices: schedule, certificate, faults });
}

async function roll(
  stdin: AsyncIterable<Buffer | string>,
  stdout: NodeJS.WritableStream,
  solve: Solve | null,
): Promise<void> {
  let planner: RollingPlanner | null = null;
  for await (const line of lines(stdin)) {
    const message = parse(line);
    const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : null;
    if (type === 'end') return;
    if (type === 'init') {
      const scenario = parseEvenScenario(
        message !== null && typeof message === 'object' && 'scenario' in message ? message.scenario : null,
      );
      if (!scenario.ok) throw new HearthError(scenario.error.code, scenario.error.message);
      planner = new RollingPlanner(scenario.value, { solve });
      continue;
    }
    const answer: Result<StepAnswer> = planner
      ? await planner.step(message)
      : refuse('SCENARIO_INVALID', 'no init before this line');
    await print(stdout, answer.ok ? answer.value : { devices: {}, faults: [answer.error] });
  }
}

async function* lines(input: AsyncIterable<Buffer | string>): AsyncIterable<string> {
  let rest = '';
  for await (const chunk of input) {
    rest += chunk.toString();
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((part) => part.trim() !== '');
    if (rest.length > LIMITS.planScenario_bytes) throw new HearthError('OVERSIZED', 'the line is too long');
  }
  if (rest.trim() !== '') yield rest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function print(stdout: NodeJS.WritableStream, value: unknown): Promise<void> {
  if (!stdout.write(`${JSON.stringify(value)}\n`)) await once(stdout, 'drain');
}
