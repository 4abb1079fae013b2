/** A roof where feeding in costs, in a house whose load is never still: what flows out, and how often it is told. */
import { test } from 'tap';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { JournalEntry } from '../../firmware/domain/storage.ts';
import { Gateway } from '../../firmware/gateway.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { battery, HOUR, inverter, NOON, SITE, signal } from '../policy/home.ts';
import { measured, Obedient } from './obedient.ts';

const POLL_MS = 5000;

async function hour(noise_W: number, beside: 'nothing' | 'battery') {
  const clock = new SimulatedClock(NOON);
  const random = seededRandom(7);
  const sun_W = 4500;
  const roof = new Obedient(inverter(), clock, POLL_MS, (told_W) => Math.max(told_W, -sun_W));
  const cells = battery({}, { flexibility: { ranges: [{ min_W: -2000, max_W: 2000 }] } });
  const others = beside === 'battery' ? [new Obedient(cells, clock, POLL_MS)] : [];
  let [sum_W, readings, drawn_W] = [0, 0, 0];
  const grid: ResourceManager = {
    id: 'grid',
    open: (events) => {
      const read = (): void => {
        const base_W = 800 + (random.next() - 0.5) * 2 * noise_W;
        const value = base_W + [roof, ...others].reduce((sum, d) => sum + d.power_W, 0);
        if (clock.elapsedMs() > 60_000) {
          sum_W += value;
          drawn_W += others.reduce((sum, d) => sum + d.power_W, 0);
          readings += 1;
        }
        events.measured(measured('grid', value, clock));
        clock.after(1000, read);
      };
      clock.after(50, read);
    },
    instruct: () => {},
    close: async () => {},
  };
  const journal: JournalEntry[] = [];
  const gateway = new Gateway({
    clock,
    site: SITE,
    meters: [{ resource: grid, name: 'Meter', role: 'grid' }],
    devices: [roof, ...others].map((resource) => ({
      resource,
      settings: { priority: 5, mode: 'solar', deadline: null },
    })),
    series: { append: () => {}, flush: () => {}, read: () => [], points: () => [] },
    journal: { record: (entry) => void journal.push(entry), read: () => [] },
    settings: { get: () => null, set: () => {}, remove: () => {} },
    overrides: { load: () => new Map(), save: () => {} },
    signals: () => COSTS,
    broker: () => ({ connected: false, sinceMs: null }),
    feedWatchdog: () => {},
    changed: () => {},
  });
  gateway.start();
  await clock.advanceTo(HOUR);
  await gateway.stop();
  return { mean_W: sum_W / readings, taken_W: drawn_W / readings, commands: roof.commands, journal };
}

const COSTS = [signal('exportPrice', [{ fromMs: NOON, untilMs: NOON + 2 * HOUR, value: -0.0001 }])];

test('in the mean nothing flows out, and the roof is told no oftener than it is polled', async (t) => {
  const { mean_W, commands, journal } = await hour(700, 'nothing');
  t.ok(Math.abs(mean_W) < 50, `${mean_W} W at the meter`);
  t.ok(commands > 100 && commands <= (HOUR / POLL_MS) * 1.1, `${commands} commands in an hour`);
  t.ok(journal.length < 20, `${journal.length} lines`);
  t.ok(journal.some(({ kind, code }) => kind === 'decision' && code === 'EXPORT_COSTS'));
});

test('a load that moves by less than 50 W is no reason to tell it anything', async (t) => {
  const { mean_W, commands } = await hour(20, 'nothing');
  t.ok(Math.abs(mean_W) < 50, `${mean_W} W at the meter`);
  t.ok(commands < 20, `${commands} commands in an hour`);
});

test('a battery beside it is charged with all that it can take', async (t) => {
  const { mean_W, taken_W } = await hour(300, 'battery');
  t.ok(taken_W > 1800, `${taken_W} W`);
  t.ok(Math.abs(mean_W) < 100, `${mean_W} W at the meter`);
});
