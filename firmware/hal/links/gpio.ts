/**
 * A GPIO line as a link: a byte (LEVEL) for each change of its level. It is watched by `gpiomon` of Debian's package
 * `gpiod` (1.6 and 2.x): the kernel hands out edges only through ioctls on /dev/gpiochipN, which Node has not, the old
 * way through sysfs is gone from new kernels, and a native module of our own would be one more thing to build for
 * each board. The kernel stamps each edge, so that a busy gateway measures pulses as exactly as an idle one.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fault, HearthError } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { LEVEL, type Link, type LinkEvents } from '../../domain/link.ts';
import type { Clock, ElapsedMs } from '../../domain/time.ts';

export interface GpioSpec {
  readonly kind: 'gpio';
  /** `gpiochip0` */
  readonly chip: string;
  /** Offset of the line on its chip. */
  readonly line: number;
  /** The pulse pulls the line to ground (open collector with pull-up): the usual S0 circuit. */
  readonly activeLow: boolean;
  readonly bias: 'as-is' | 'pull-up' | 'pull-down' | 'disabled';
}

/** Long enough for the program to find out that the line is not there or is taken. */
const SETTLE_MS = 300;
const VERSION_MS = 5_000;
/** A kernel stamp that is off by more belongs to another clock, or to one that jumped. */
const SKEW_MS = 2_000;

type Watcher = ChildProcessByStdio<null, Readable, Readable>;

export function gpioLink(spec: GpioSpec, clock: Clock, command = 'gpiomon'): Link {
  const name = `${spec.chip}:${spec.line}`;
  let watcher: Watcher | null = null;

  return {
    name,
    async open(events) {
      const major = await versionOf(command, name);
      const child = spawn(command, argumentsOf(spec, major), { stdio: ['ignore', 'pipe', 'pipe'] });
      await started(child, clock, name);
      watcher = child;
      attach(child, events, clock);
      child.once('exit', (code) => {
        const closedByUs = watcher !== child;
        if (!closedByUs) watcher = null;
        events.gone(closedByUs ? null : fault('LINK_GONE', `${name}: ${command} ended with ${code}`));
      });
    },
    async write() {
      throw new HearthError('UNSUPPORTED', `${name}: an input takes nothing`);
    },
    configure: async () => false,
    async close() {
      const child = watcher;
      watcher = null;
      if (!child || child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** 1 or 2: their options and formats differ. */
function versionOf(command: string, name: string): Promise<1 | 2> {
  return new Promise((resolve, reject) => {
    execFile(command, ['--version'], { timeout: VERSION_MS, maxBuffer: 65_536 }, (error, stdout) => {
      if (!error) return resolve(/\bv?1\.\d/.test(stdout) ? 1 : 2);
      const missing =
        error.code === 'ENOENT' ? `${command} is not there; it is in the package gpiod` : error.message;
      reject(new HearthError('LINK_REFUSED', `${name}: ${missing}`, error));
    });
  });
}

function argumentsOf({ chip, line, activeLow, bias }: GpioSpec, major: 1 | 2): string[] {
  const low = activeLow ? ['--active-low'] : [];
  if (major === 1) {
    const wanted = bias === 'as-is' ? [] : [`--bias=${bias === 'disabled' ? 'disable' : bias}`];
    return ['--line-buffered', '--format=%e %s %n', ...low, ...wanted, chip, String(line)];
  }
  const wanted = bias === 'as-is' ? [] : [`--bias=${bias}`];
  return ['--format=%e %S', ...low, ...wanted, `--chip=${chip}`, String(line)];
}

/** It says nothing when all is well, and ends at once when it is not. */
function started(child: Watcher, clock: Clock, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString('latin1')).slice(0, LIMITS.gpioLine_chars);
    };
    child.stderr.on('data', hear);
    const refuse = (why: string): void => {
      cancel();
      const busy = /busy/i.test(why);
      reject(new HearthError(busy ? 'LINK_BUSY' : 'LINK_REFUSED', `${name}: ${why.trim()}`));
    };
    child.once('error', (error) => refuse(error.message));
    const ended = (code: number | null): void => refuse(said || `ended with ${code}`);
    child.once('close', ended);
    const cancel = clock.after(SETTLE_MS, () => {
      child.removeListener('close', ended);
      resolve();
    });
  });
}

function attach(child: Watcher, events: LinkEvents, clock: Clock): void {
  let held = '';
  let offsetMs: number | null = null;
  /** The least delay seen so far is the difference of the two clocks; what came later was waiting. */
  const learn = (kernelMs: number, nowMs: ElapsedMs): void => {
    const now = nowMs - kernelMs;
    offsetMs = offsetMs === null || Math.abs(now - offsetMs) > SKEW_MS ? now : Math.min(offsetMs, now);
  };
  child.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => {
    const nowMs = clock.elapsedMs();
    const lines = (held + chunk.toString('latin1')).split('\n');
    held = (lines.pop() ?? '').slice(-LIMITS.gpioLine_chars);
    const edges = lines.flatMap((line) => readEdge(line) ?? []);
    for (const { kernelMs } of edges) learn(kernelMs, nowMs);
    for (const { level, kernelMs } of edges)
      events.bytes(Uint8Array.of(level), Math.min(nowMs, kernelMs + (offsetMs ?? 0)));
  });
}

/**
 * `1 4711 5000` (version 1: rising 1, falling 0; the nanoseconds are not padded) or `2 4711.000005000` (version 2:
 * rising 1, falling 2). Null for anything else.
 */
export function readEdge(line: string): { readonly level: number; readonly kernelMs: number } | null {
  const m = /^([012]) (\d{1,12})(?:\.(\d{9})| (\d{1,9}))\s*$/.exec(line);
  if (!m) return null;
  return {
    level: m[1] === '1' ? LEVEL.active : LEVEL.inactive,
    kernelMs: Number(m[2]) * 1000 + Number(m[3] ?? m[4]) / 1e6,
  };
}
