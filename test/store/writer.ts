/**
 * Takes in values as fast as it can until it is killed, a hundred times faster than life: a second of its clock is
 * 10 ms. Says on stdout what it handed to the store (`value`), and what the store said was safe (`signal`, `write`).
 */
import type { Signal } from '../../firmware/domain/signal.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { openStore } from '../../firmware/store/index.ts';
import { limitSignal } from './limit.ts';

export const FASTER = 100;
export const METER = 'm/activeEnergyImport';
export const valueAt = (atMs: number): number => atMs % 1_000_003;

function fast(startMs: number): Clock {
  const real = systemClock();
  const zero = real.elapsedMs();
  const elapsedMs = () => (real.elapsedMs() - zero) * FASTER;
  return {
    elapsedMs,
    wallMs: () => Math.floor(startMs + elapsedMs()),
    after: (ms, task) => real.after(ms / FASTER, task),
  };
}

const limitOf = (modifiedMs: number): Signal =>
  limitSignal({
    modifiedMs,
    receivedMs: modifiedMs,
    intervals: [{ fromMs: 0, untilMs: 8e15, value: modifiedMs }],
  });

function run(file: string, startMs: number, device: string): void {
  const clock = fast(startMs);
  const store = openStore(file, { clock, timeZone: 'Europe/Berlin' });
  const say = (what: string, value: number): void =>
    void process.stdout.write(`${what} ${value} ${clock.elapsedMs()}\n`);
  const point = { source: 'm', quantity: 'activeEnergyImport', phase: 0, tariff: 0, channel: 0 } as const;
  for (const text of store.opened) process.stdout.write(`opened ${text}\n`);
  let n = 0;
  const tick = (): void => {
    n += 1;
    const at = clock.wallMs();
    const times = { receivedMs: at, receivedElapsedMs: clock.elapsedMs(), meterTimeMs: null };
    store.series.append([{ point, value: valueAt(at), quality: 'good', ...times }]);
    say('value', at);
    if (n % 40 === 0 && store.writes.spend(device, startMs, 500))
      say('write', store.writes.used(device, startMs));
    if (n % 170 === 0 && store.signals.save(limitOf(at))) say('signal', at);
    if (n % 5 === 0)
      store.journal.record({ atMs: at, kind: 'command', subject: device, code: 'STARTED', detail: { n } });
    // One value a millisecond, 100 ms of its own time.
    clock.after(FASTER, tick);
  };
  tick();
}

const [file, startMs, device] = process.argv.slice(2);
if (import.meta.main && file && startMs && device) run(file, Number(startMs), device);
