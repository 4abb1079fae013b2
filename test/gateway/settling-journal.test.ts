/** What the cycle writes down of a battery that follows a meter which speaks each second. */
import { test } from 'tap';
import type { DeviceImage } from '../../firmware/domain/image.ts';
import type { ResourceEvents, ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { JournalEntry } from '../../firmware/domain/storage.ts';
import { Gateway } from '../../firmware/gateway.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { battery, SITE } from '../policy/home.ts';
import { measured } from './obedient.ts';

test('a battery that waits for the meter between two steps is no news each time', async (t) => {
  for (const offsetMs of [0, 300]) {
    const clock = new SimulatedClock(Date.UTC(2026, 5, 15, 10));
    const random = seededRandom(7);
    const journal: JournalEntry[] = [];
    let power_W = 0;
    const everySecond = (task: () => void): void => {
      task();
      clock.after(1000, () => everySecond(task));
    };
    const sun_W = (): number =>
      2500 + 600 * Math.sin(clock.elapsedMs() / 120_000) + 300 * (random.next() - 0.5);
    const grid: ResourceManager = {
      id: 'grid',
      open: (events) => everySecond(() => events.measured(measured('grid', power_W - sun_W(), clock))),
      close: async () => {},
      instruct: () => {},
    };
    const device: DeviceImage = battery({}, { mode: 'solar' });
    let heard: ResourceEvents | null = null;
    const resource: ResourceManager = {
      id: 'battery',
      open: (events) => {
        heard = events;
        events.flexibility(device.flexibility);
        events.health('ok', null);
        clock.after(offsetMs, () => everySecond(() => events.measured(measured('battery', power_W, clock))));
      },
      close: async () => {},
      instruct: (instruction) => {
        heard?.status(instruction, 'STARTED', null);
        clock.after(50, () => {
          power_W = instruction.setPoint_W;
          heard?.status(instruction, 'SUCCEEDED', null);
        });
      },
    };
    const gateway = new Gateway({
      clock,
      site: SITE,
      meters: [{ resource: grid, name: 'Meter', role: 'grid' }],
      devices: [{ resource, settings: { priority: 5, mode: 'solar', deadline: null } }],
      series: { append: () => {}, flush: () => {}, read: () => [], points: () => [] },
      journal: { record: (entry) => void journal.push(entry), read: () => [] },
      settings: { get: () => null, set: () => {}, remove: () => {} },
      overrides: { load: () => new Map(), save: () => {} },
      signals: () => [],
      broker: () => ({ connected: false, sinceMs: null }),
      feedWatchdog: () => {},
      changed: () => {},
    });
    gateway.start();
    await clock.advanceTo(600_000);
    t.ok(power_W > 1000, 'it takes the sun');
    t.ok(journal.length < 30, `${journal.length} lines in ten minutes`);
    await gateway.stop();
  }
});
