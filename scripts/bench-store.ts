/**
 * `node scripts/bench-store.ts`: what the store costs the flash. One meter with 18 series every 10 s and three devices
 * with two each every 10 s, as fast as the disk takes a day of them, in processes of their own: bytes written
 * (`write_bytes` of /proc/self/io; what the file system writes for itself comes on top), commits, size of the database.
 */
import '../firmware/node-guard.ts';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LIMITS } from '../firmware/domain/limits.ts';
import type { Measurement } from '../firmware/domain/measurement.ts';
import { SimulatedClock } from '../firmware/hal/simulated/clock.ts';
import { seededRandom } from '../firmware/hal/simulated/random.ts';
import { openStore } from '../firmware/store/index.ts';

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const QUANTITIES = ['activePower', 'voltage', 'current', 'reactivePower', 'activePowerImport'] as const;

interface Cost {
  readonly values: number;
  readonly commits: number;
  readonly written_bytes: number;
  readonly size_bytes: number;
  readonly seconds: number;
}

/** Registers rise, powers wander, as they do. */
function readings(clock: SimulatedClock, next: () => number): Measurement[] {
  const times = {
    receivedMs: clock.wallMs(),
    receivedElapsedMs: clock.elapsedMs(),
    quality: 'good' as const,
  };
  const one = (
    source: string,
    quantity: Measurement['point']['quantity'],
    phase: 0 | 1 | 2 | 3,
  ): Measurement => ({
    ...times,
    point: { source, quantity, phase, tariff: 0, channel: 0 },
    value: quantity.startsWith('activeEnergy')
      ? Math.round(clock.elapsedMs() / 1000)
      : Math.round(next() * 5000),
    meterTimeMs: times.receivedMs - 500,
  });
  const phases = QUANTITIES.flatMap((q) => ([1, 2, 3] as const).map((phase) => one('grid', q, phase)));
  const totals = (['activePower', 'activeEnergyImport', 'activeEnergyExport'] as const).map((q) =>
    one('grid', q, 0),
  );
  const devices = ['boiler', 'wallbox', 'roof'].flatMap((id) => [
    one(id, 'activePower', 0),
    one(id, 'activeEnergy', 0),
  ]);
  return [...phases, ...totals, ...devices];
}

const writtenSoFar = (): number =>
  Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);

/** Runs in a process of its own. */
async function ingest(file: string, days: number, syncs: boolean): Promise<Cost> {
  const clock = new SimulatedClock(Date.UTC(2026, 2, 1));
  const random = seededRandom(1);
  const store = openStore(file, { clock, timeZone: 'Europe/Berlin', syncs });
  const [before, startedAt] = [writtenSoFar(), performance.now()];
  let values = 0;
  for (let ms = 0; ms < days * DAY_MS; ms += EVERY_MS) {
    await clock.advanceTo(ms);
    const batch = readings(clock, () => random.next());
    values += batch.length;
    store.series.append(batch);
    if (ms % HOUR_MS === 0) store.maintain(clock.wallMs());
  }
  const { commits } = store.health();
  store.close();
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    values,
    commits,
    written_bytes: writtenSoFar() - before,
    size_bytes: statSync(file).size,
    seconds,
  };
}

function measure(days: number, syncs: boolean): Cost {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
  const args = [import.meta.filename, 'ingest', path.join(dir, 'hearth.sqlite'), String(days), String(syncs)];
  try {
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Cost;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const MB = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const [mode, file = '', days = '', syncs = ''] = process.argv.slice(2);
if (mode === 'ingest') {
  console.log(JSON.stringify(await ingest(file, Number(days), syncs === 'true')));
} else {
  const day = measure(1, true);
  const meterShare = 18 / 24;
  console.log(
    `a day: ${day.values} values of 24 series, ${day.commits} commits, in ${day.seconds.toFixed(0)} s`,
  );
  console.log(
    `written in the day: ${MB(day.written_bytes)}, ${(day.written_bytes / day.values).toFixed(0)} bytes a value`,
  );
  const [some, more] = [measure(2, false), measure(6, false)];
  const perValue = (more.size_bytes - some.size_bytes) / (more.values - some.values);
  console.log(
    `database: ${perValue.toFixed(1)} bytes a value, ${MB(perValue * day.values * meterShare)} a meter-day`,
  );
  const kept = measure(LIMITS.storeRawDays + 4, false);
  console.log(
    `database after ${LIMITS.storeRawDays + 4} days, of which raw values are kept ${LIMITS.storeRawDays}: ${MB(kept.size_bytes)}`,
  );
}
