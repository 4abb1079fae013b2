/** Solves programs in a child process, bounded in time and memory, for whoever plans in its own process. SOLVER_FAILED. */
import path from 'node:path';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { Clock } from '../../domain/time.ts';
import type { ProgramData, Term } from '../planner/milp/linear-program.ts';
import { type Answer, WorkerProcess } from './worker-process.ts';

export interface SolverOptions {
  /** The solver stops by itself then and gives the best it has. */
  readonly timeLimit_s: number;
  /** Relative and absolute gap at which it stops. */
  readonly gap: number;
  /** Its process is ended above this. */
  readonly memory_MiB: number;
  /** The process stays that long for another program; absent: it goes after every one. */
  readonly keepMs?: number;
  /** For tests: another program in the worker's place. */
  readonly worker?: string;
}

export interface Solution {
  readonly values: readonly number[];
  /** No plan can cost less; null when nothing is proven. */
  readonly bound: number | null;
  readonly memory_MiB: number | null;
}

/** `start`: values of whole-number columns from a plan that is known. One program at a time; others wait. */
export interface Solve {
  (program: ProgramData, start?: readonly Term[]): Promise<Result<Solution>>;
  /** Lets a kept process go. */
  end(): void;
}

/** Start-up of the process and reading of the program come on top of the solver's own time, ms. */
const GRACE_MS = 4_000;
const WORKER = path.join(import.meta.dirname, 'worker.mjs');

export function solverProcess(clock: Clock, options: SolverOptions): Solve {
  const { timeLimit_s, gap, worker = WORKER, ...bounds } = options;
  const process = new WorkerProcess(clock, {
    ...bounds,
    file: worker,
    limitMs: timeLimit_s * 1000 + GRACE_MS,
  });
  let before: Promise<unknown> = Promise.resolve();
  const solve = (program: ProgramData, start: readonly Term[] = []): Promise<Result<Solution>> => {
    const request = `${JSON.stringify({ program, start, timeLimit_s, gap })}\n`;
    const answer = before.then(() => process.ask(request));
    before = answer;
    return answer.then((text) => (text.ok ? read(text.value, program.cost.length) : text));
  };
  return Object.assign(solve, { end: () => process.end() });
}

function read({ text, peak_MiB }: Answer, columns: number): Result<Solution> {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null || !('values' in answer))
      return refuse('SOLVER_FAILED');
    const { values } = answer;
    if (!Array.isArray(values) || values.length !== columns || !values.every(Number.isFinite))
      return refuse('SOLVER_FAILED', 'the solver found no plan');
    const bound = 'bound' in answer && typeof answer.bound === 'number' ? answer.bound : null;
    const memory =
      'memory_bytes' in answer && typeof answer.memory_bytes === 'number' ? answer.memory_bytes / 2 ** 20 : 0;
    return ok({ values, bound, memory_MiB: Math.max(peak_MiB, memory) });
  } catch {
    return refuse('SOLVER_FAILED', 'the solver’s answer is not readable');
  }
}
