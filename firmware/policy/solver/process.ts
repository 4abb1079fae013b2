/**
 * Solves programs in a child process: whatever happens to it (crash, endless search, too much memory), the house
 * gets an answer in time. Unless told to keep it, no process and no memory stays behind. SOLVER_FAILED.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type Cancel, type Clock, every } from '../../domain/time.ts';
import type { ProgramData, Term } from '../planner/milp/linear-program.ts';

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
const WATCH_MS = 100;
/**
 * The quick compiler of WebAssembly alone, without threads of its own: a third less memory and a shorter start;
 * the better code of the other one would come too late for a search of seconds.
 */
const FRUGAL = ['--liftoff-only', '--single-threaded', '--max-semi-space-size=1'];
const WORKER = path.join(import.meta.dirname, 'worker.mjs');

export function solverProcess(clock: Clock, options: SolverOptions): Solve {
  const workers = new Workers(clock, options);
  let before: Promise<unknown> = Promise.resolve();
  const solve = (program: ProgramData, start: readonly Term[] = []): Promise<Result<Solution>> => {
    const { timeLimit_s, gap } = options;
    const request = `${JSON.stringify({ program, start, timeLimit_s, gap })}\n`;
    const answer = before.then(() => workers.ask(request));
    before = answer;
    return answer.then((text) => (text.ok ? read(text.value, program.cost.length) : text));
  };
  return Object.assign(solve, { end: () => workers.end() });
}

interface Answer {
  readonly text: string;
  readonly peak_MiB: number;
}

/** The child process of the moment, if there is one. */
class Workers {
  readonly #clock: Clock;
  readonly #options: SolverOptions;
  #child: ChildProcess | null = null;
  #retire: Cancel = () => {};

  constructor(clock: Clock, options: SolverOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** One request, one answer. Never rejects. */
  ask(request: string): Promise<Result<Answer>> {
    this.#retire();
    const child = this.#child ?? this.#spawn();
    const { timeLimit_s, memory_MiB } = this.#options;
    return new Promise((resolve) => {
      let peak_MiB = 0;
      let why: string | null = null;
      const kill = (reason: string): void => {
        why ??= reason;
        child.kill('SIGKILL');
      };
      const cancelKill = this.#clock.after(timeLimit_s * 1000 + GRACE_MS, () => kill('no answer in time'));
      const cancelWatch = every(this.#clock, WATCH_MS, () => {
        peak_MiB = Math.max(peak_MiB, resident_MiB(child));
        if (peak_MiB > memory_MiB) kill(`more than ${memory_MiB} MiB`);
      });
      const finish = (answer: Result<Answer>): void => {
        cancelKill();
        cancelWatch();
        child.removeAllListeners();
        child.stdout?.removeAllListeners();
        // A process that is being killed may still complain.
        child.on('error', () => {});
        if (answer.ok) this.#rest(child);
        else this.end();
        resolve(answer);
      };
      collect(
        child,
        (text) => finish(why === null ? ok({ text, peak_MiB }) : refuse('SOLVER_FAILED', why)),
        kill,
      );
      child.on('error', (error) => finish(refuse('SOLVER_FAILED', error.message)));
      child.on('close', (code) => finish(refuse('SOLVER_FAILED', why ?? `the solver ended with ${code}`)));
      child.stdin?.write(request);
    });
  }

  #spawn(): ChildProcess {
    const child = spawn(
      process.execPath,
      [...FRUGAL, `--max-old-space-size=${LIMITS.solverHeap_MiB}`, this.#options.worker ?? WORKER],
      { stdio: ['pipe', 'pipe', 'ignore'], env: {} },
    );
    child.stdin.on('error', () => {});
    this.#child = child;
    return child;
  }

  /** WebAssembly never gives memory back: a process that has grown goes, however busy it is. */
  #rest(child: ChildProcess): void {
    const { keepMs } = this.#options;
    const grown = resident_MiB(child) > LIMITS.solverResident_MiB;
    if (keepMs === undefined || grown) this.end();
    else this.#retire = this.#clock.after(keepMs, () => this.end());
  }

  /** Lets the process go: it ends when its input does. */
  end(): void {
    this.#retire();
    this.#child?.stdin?.end();
    this.#child = null;
  }
}

/** Calls `done` with the first whole line. */
function collect(child: ChildProcess, done: (text: string) => void, kill: (reason: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LIMITS.solverAnswer_bytes) return kill('its answer is too long');
    chunks.push(chunk);
    if (chunk.includes(0x0a)) done(Buffer.concat(chunks).toString('utf8').split('\n')[0] ?? '');
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
