/** Kills a process that writes, at a moment of chance, and looks at what is left. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { Random } from '../../firmware/domain/random.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { openStore } from '../../firmware/store/index.ts';
import { FASTER, METER, valueAt } from './writer.ts';

const ZONE = 'Europe/Berlin';
const FIRST_MS = Date.UTC(2026, 2, 28, 12);
/** Between two runs, so that the quarter hour is often another and the new run has something to roll up. */
const OFF_MS = 600_000;

export interface Killed {
  /** What is wrong; empty when nothing is. */
  readonly wrong: readonly string[];
  readonly handedIn: number;
  readonly lost: number;
  /** For how long the oldest lost value had been with the store, in real time; 0 when none was lost. */
  readonly oldestLostMs: number;
  /** For how long in that time the process itself was not let run, at a stretch. */
  readonly stalledMs: number;
  readonly logReplayed: boolean;
}

interface Said {
  readonly values: readonly { readonly at: number; readonly elapsedMs: number }[];
  readonly used: number;
  readonly signal: number;
  readonly opened: string;
}

/** @param round 0 for the first of a series on one file */
export async function killOnce(where: string, round: number, random: Random): Promise<Killed> {
  const startMs = (round === 0 ? FIRST_MS : newest(where)) + OFF_MS;
  const device = `d${round % 30}-${round}`;
  const said = await writeAndKill([where, String(startMs), device], random.next() * 400);
  return look(where, device, said);
}

async function writeAndKill(args: readonly string[], afterMs: number): Promise<Said> {
  const script = path.join(import.meta.dirname, 'writer.ts');
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  let text = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      resolve();
    });
  });
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await ended;
  // The last line may be cut.
  const lines = text.split('\n').slice(0, -1);
  const numbers = (what: string) =>
    lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.split(' ').slice(1).map(Number));
  return {
    values: numbers('value').map(([at = 0, elapsedMs = 0]) => ({ at, elapsedMs })),
    used: numbers('write').at(-1)?.[0] ?? 0,
    signal: numbers('signal').at(-1)?.[0] ?? 0,
    opened: lines.filter((line) => line.startsWith('opened ')).join('; '),
  };
}

function look(where: string, device: string, { values, used, signal, opened }: Said): Killed {
  const wrong: string[] = [];
  if (/damaged/.test(opened)) wrong.push(opened);
  const store = openStore(where, { clock: new SimulatedClock(newest(where)), timeZone: ZONE });
  if (store.opened.some((line) => /damaged|writing failed/.test(line))) wrong.push(store.opened.join('; '));
  const [first] = values;
  const rows = store.series.read(METER, 'raw', first?.at ?? 0, 8e15);
  if (rows.some(({ atMs, value }) => value !== valueAt(atMs))) wrong.push('a value was invented');
  const kept = new Set(rows.map(({ atMs }) => atMs));
  const lost = values.filter(({ at }) => !kept.has(at));
  const lastMs = values.at(-1)?.elapsedMs ?? 0;
  const oldestLostMs = lost.length > 0 ? (lastMs - (lost[0]?.elapsedMs ?? 0)) / FASTER : 0;
  if (rows.length + lost.length < new Set(values.map(({ at }) => at)).size) wrong.push('values are missing');
  if (store.writes.used(device, first?.at ?? 0) < used) wrong.push(`of ${used} writes some are forgotten`);
  if ((store.signals.load(0)[0]?.modifiedMs ?? 0) < signal)
    wrong.push('a signal that was saved is not there');
  store.close();
  const [check] = query<{ integrity_check: string }>(where, 'PRAGMA integrity_check');
  if (check?.integrity_check !== 'ok') wrong.push(`integrity: ${check?.integrity_check}`);
  const logReplayed = store.opened.some((line) => /log was replayed/.test(line));
  return {
    wrong,
    handedIn: values.length,
    lost: lost.length,
    oldestLostMs,
    stalledMs: longest(lost),
    logReplayed,
  };
}

const longest = (values: Said['values']): number =>
  Math.max(0, ...values.slice(1).map(({ elapsedMs }, i) => elapsedMs - (values[i]?.elapsedMs ?? 0))) / FASTER;

const newest = (where: string): number =>
  query<{ at: number | null }>(
    where,
    'SELECT max(at) AS at FROM (SELECT at FROM raw UNION ALL SELECT at FROM tail)',
  )[0]?.at ?? FIRST_MS;

function query<T>(where: string, sql: string): T[] {
  const db = new Database(where, { readonly: true });
  try {
    return db.prepare<[], T>(sql).all();
  } finally {
    db.close();
  }
}
