/**
 * A child process that answers a line with a line. Whatever happens to it (crash, endless search, too much memory, an
 * answer without end), whoever asked gets an answer in time. Unless told to keep it, no process and no memory stays.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type Cancel, type Clock, every } from '../../domain/time.ts';

export interface WorkerOptions {
  /** The program that it runs. */
  readonly file: string;
  /** It is ended after this, start included. */
  readonly limitMs: number;
  /** It is ended above this. */
  readonly memory_MiB: number;
  /** It stays that long for another question; absent: it goes after every one. */
  readonly keepMs?: number;
}

export interface Answer {
  readonly text: string;
  readonly peak_MiB: number;
}

const WATCH_MS = 100;
/**
 * The quick compiler of WebAssembly alone, without threads of its own: a third less memory and a shorter start;
 * the better code of the other one would come too late for a search of seconds. JavaScript is optimised as ever.
 */
const FRUGAL = ['--liftoff-only', '--single-threaded', '--max-semi-space-size=1'];
/** Limits and meters come first, whatever a plan costs. */
const LAST_IN_LINE = 10;
/** When memory runs out the kernel takes this one (−1000 to 1000). */
const FIRST_TO_GO = '500';

/** The child process of the moment, if there is one. */
export class WorkerProcess {
  readonly #clock: Clock;
  readonly #options: WorkerOptions;
  #child: ChildProcess | null = null;
  #retire: Cancel = () => {};

  constructor(clock: Clock, options: WorkerOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** One request, one answer; one at a time. Never rejects. SOLVER_FAILED. */
  ask(request: string): Promise<Result<Answer>> {
    this.#retire();
    const child = this.#child ?? this.#spawn();
    const { limitMs, memory_MiB } = this.#options;
    return new Promise((resolve) => {
      let peak_MiB = 0;
      let why: string | null = null;
      const kill = (reason: string): void => {
        why ??= reason;
        child.kill('SIGKILL');
      };
      const cancelKill = this.#clock.after(limitMs, () => kill('no answer in time'));
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
      child.on('close', (code, signal) =>
        finish(refuse('SOLVER_FAILED', why ?? `its process ended with ${code ?? signal}`)),
      );
      child.stdin?.write(request);
    });
  }

  #spawn(): ChildProcess {
    const child = spawn(
      process.execPath,
      [...FRUGAL, `--max-old-space-size=${LIMITS.solverHeap_MiB}`, this.#options.file],
      { stdio: ['pipe', 'pipe', 'ignore'], env: {} },
    );
    child.stdin.on('error', () => {});
    if (child.pid !== undefined) stepBack(child.pid);
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

  /** Ends the process in the middle of its work. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }
}

function stepBack(pid: number): void {
  try {
    setPriority(pid, LAST_IN_LINE);
    writeFileSync(`/proc/${pid}/oom_score_adj`, FIRST_TO_GO);
  } catch {
    // A system without these: it works on as any other process.
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
