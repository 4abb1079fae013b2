/** Appends measurements for ever, and says on stdout what was handed in when. Killed by the test. */
import { systemClock } from '../../firmware/hal/clock.ts';
import { openStore } from '../../firmware/store/index.ts';

const [path = '', batchMs = '50'] = process.argv.slice(2);
const real = systemClock();
// The batch time is shortened, so that a test of seconds sees many batches.
const clock = {
  ...real,
  after: (ms: number, task: () => void) => real.after(Math.min(ms, Number(batchMs)), task),
};
const store = openStore(path, { clock, timeZone: 'Europe/Berlin' });
const point = { source: 'm', quantity: 'activeEnergyImport', phase: 0, tariff: 0, channel: 0 } as const;
let at = (store.series.read('m/activeEnergyImport', 'raw', 0, 8e15).at(-1)?.atMs ?? clock.wallMs()) + 1;
const tick = (): void => {
  store.series.append([
    {
      point,
      value: at,
      quality: 'good',
      meterTimeMs: null,
      receivedMs: at,
      receivedElapsedMs: clock.elapsedMs(),
    },
  ]);
  process.stdout.write(`${at} ${performance.now()}\n`);
  at += 1;
  real.after(1, tick);
};
tick();
