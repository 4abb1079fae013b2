/**
 * Solves a program in a child process: whatever happens to it (crash, endless search, too much memory), the house
 * gets an answer in time and no memory stays behind. SOLVER_FAILED.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type Clock, every } from '../../domain/time.ts';

export interface SolverOptions {
  /** The solver stops by itself then and gives the best it has. */
  readonly timeLimit_s: number;
  /** Relative and absolute gap at which it stops. */
  readonly gap: number;
  /** Its process is ended above this. */
  readonly memory_MiB: number;
  /** For tests: another program in the worker's place. */
  readonly worker?: string;
}

export interface Solution {
  readonly values: readonly number[];
  /** No plan can cost less; null when nothing is proven. */
  readonly bound: number | null;
  readonly memory_MiB: number | null;
}

export type Solve = (text: string, columns: number) => Promise<Result<Solution>>;

/** Start-up of the process and reading of the program come on top of the solver's own time, ms. */
const GRACE_MS = 4_000;
const WORKER = path.join(import.meta.dirname, 'worker.ts');

export function solverProcess(clock: Clock, options: SolverOptions): Solve {
  return (text, columns) =>
    new Promise((resolve) => {
      const child = spawn(
        process.execPath,
        [`--max-old-space-size=${LIMITS.solverHeap_MiB}`, options.worker ?? WORKER],
        {
          stdio: ['pipe', 'pipe', 'ignore'],
          env: {},
        },
      );
      let peak_MiB = 0;
      let why: string | null = null;
      const kill = (reason: string): void => {
        why ??= reason;
        child.kill('SIGKILL');
      };
      const cancelKill = clock.after(options.timeLimit_s * 1000 + GRACE_MS, () => kill('no answer in time'));
      const cancelWatch = every(clock, 100, () => {
        peak_MiB = Math.max(peak_MiB, resident_MiB(child));
        if (peak_MiB > options.memory_MiB) kill(`more than ${options.memory_MiB} MiB`);
      });
      const chunks: Buffer[] = [];
      let size = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > LIMITS.solverAnswer_bytes) kill('its answer is too long');
        else chunks.push(chunk);
      });
      child.stdin.on('error', () => {});
      child.on('error', (error) => kill(error.message));
      child.on('close', (code) => {
        cancelKill();
        cancelWatch();
        if (why !== null || code !== 0)
          resolve(refuse('SOLVER_FAILED', why ?? `the solver ended with ${code}`));
        else resolve(read(Buffer.concat(chunks).toString('utf8'), columns, peak_MiB));
      });
      child.stdin.end(JSON.stringify({ text, timeLimit_s: options.timeLimit_s, gap: options.gap }));
    });
}

/** Memory of the process now; 0 where the system does not tell. */
function resident_MiB(child: ChildProcess): number {
  try {
    const pages = readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1];
    return (Number(pages) * 4096) / 2 ** 20;
  } catch {
    return 0;
  }
}

function read(text: string, columns: number, peak_MiB: number): Result<Solution> {
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
