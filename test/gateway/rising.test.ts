/** A load that may run does so soon, though a battery beside it takes a new step with nearly every reading of the meter. */
import { test } from 'tap';
import type { DeviceImage } from '../../firmware/domain/image.ts';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { Signal } from '../../firmware/domain/signal.ts';
import { Gateway } from '../../firmware/gateway.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { battery, boiler, inverter, limitNow, NOON, SITE, signal } from '../policy/home.ts';
import { measured, Obedient } from './obedient.ts';

const DAY = 86_400_000;
/** From the moment that it may: a battery polled every 5 s, a cycle, a reading. */
const SOON_S = 30;

interface Home {
  readonly name: string;
  readonly noise_W: number;
  /** Beside the boiler, each with how often it is polled. */
  readonly others: readonly (readonly [DeviceImage, number])[];
  readonly signals?: readonly Signal[];
}

/** Seconds from its release to its start, each of twelve times; and the most that was imported in a reading. */
async function startsOf({ noise_W, others, signals = [] }: Home) {
  const clock = new SimulatedClock(NOON);
  const random = seededRandom(7);
  const load = new Obedient(boiler(), clock, 10_000);
  const devices = others.map(([device, pollMs]) => new Obedient(device, clock, pollMs));
  let most_W = 0;
  const net_W = (): number => [load, ...devices].reduce((sum, d) => sum + d.power_W, 0);
  const grid: ResourceManager = {
    id: 'grid',
    open: (events) => {
      const read = (): void => {
        const value = 800 + (random.next() - 0.5) * 2 * noise_W + net_W();
        most_W = Math.max(most_W, value);
        events.measured(measured('grid', value, clock));
        clock.after(1000, read);
      };
      clock.after(50, read);
    },
    instruct: () => {},
    close: async () => {},
  };
  const settings = { priority: 5, mode: 'always', deadline: null } as const;
  const gateway = new Gateway({
    clock,
    site: SITE,
    meters: [{ resource: grid, name: 'Meter', role: 'grid' }],
    devices: [load, ...devices].map((resource) => ({ resource, settings })),
    series: { append: () => {}, flush: () => {}, read: () => [], points: () => [] },
    journal: { record: () => {}, read: () => [] },
    settings: { get: () => null, set: () => {}, remove: () => {} },
    overrides: { load: () => new Map(), save: () => {} },
    signals: () => signals,
    broker: () => ({ connected: false, sinceMs: null }),
    feedWatchdog: () => {},
    changed: () => {},
  });
  gateway.setOverride('boiler', { kind: 'off' });
  gateway.start();
  const waited_s: number[] = [];
  for (let turn = 1; turn <= 12; turn++) {
    const fromS = turn * 300;
    gateway.setOverride('boiler', { kind: 'off' });
    await clock.advanceTo(fromS * 1000);
    gateway.setOverride('boiler', { kind: 'automatic' });
    let second = 0;
    for (; load.power_W === 0 && second < 200; second++) await clock.advanceTo((fromS + second) * 1000);
    waited_s.push(second);
  }
  await gateway.stop();
  return { longest_s: Math.max(...waited_s), most_W, steps: gateway.snapshot().image.nextInstructionId };
}

const cells = (id: string): DeviceImage => battery({}, { id });
const forDays = (value: number, kind: 'importLimit' | 'exportLimit'): Signal =>
  signal(kind, [{ fromMs: NOON - DAY, untilMs: NOON + DAY, value }]);

const HOMES: readonly Home[] = [
  { name: 'a restless house', noise_W: 700, others: [[cells('battery'), 5000]] },
  { name: 'a battery polled every 10 s', noise_W: 300, others: [[cells('battery'), 10_000]] },
  {
    name: 'three batteries out of step',
    noise_W: 700,
    others: [
      [cells('a'), 5000],
      [cells('b'), 5700],
      [cells('c'), 4300],
    ],
  },
  {
    name: 'a roof that follows an export limit',
    noise_W: 700,
    signals: [forDays(0, 'exportLimit')],
    others: [[inverter(), 5000]],
  },
];

for (const home of HOMES) {
  test(`${home.name}: a load starts within ${SOON_S} s`, async (t) => {
    const { longest_s, steps } = await startsOf(home);
    t.ok(steps > 300, `${steps} commands in an hour`);
    t.ok(longest_s <= SOON_S, `${longest_s} s`);
  });
}

test('under a limit that leaves little more than its power it starts as soon, and the limit holds', async (t) => {
  for (const others of [1, 2].map((n) => ['a', 'b'].slice(0, n))) {
    const { longest_s, most_W } = await startsOf({
      name: '',
      noise_W: 300,
      signals: [limitNow(2600, { intervals: forDays(2600, 'importLimit').intervals })],
      others: others.map((id, i) => [
        battery({}, { id, flexibility: { ranges: [{ min_W: -1500, max_W: 5000 }] } }),
        5000 + 700 * i,
      ]),
    });
    t.ok(longest_s <= SOON_S, `${longest_s} s beside ${others.length}`);
    t.ok(most_W <= 2600, `${most_W} W`);
  }
});
