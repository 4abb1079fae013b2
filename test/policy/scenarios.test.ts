/** What is decided and why, what the other choice would cost, and what the operator is told: the scenarios are data. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { NOTHING_READ, type StoreReading, StoreWatch } from '../../firmware/adapters/devices/store-watch.ts';
import type { PowerRange } from '../../firmware/domain/flexibility.ts';
import type { ControlMode, DeviceImage, Known, Override } from '../../firmware/domain/image.ts';
import type { ResourceHealth } from '../../firmware/domain/resource-manager.ts';
import type { LimitScope, Signal } from '../../firmware/domain/signal.ts';
import { type Compliance, follow } from '../../firmware/policy/compliance.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { shortfall } from '../../firmware/policy/shortfall.ts';
import { guaranteed_W, SIMULTANEITY } from '../../firmware/policy/simultaneity.ts';
import {
  battery,
  boiler,
  HOUR,
  image,
  known,
  limitNow,
  NOON,
  prices,
  signal,
  tank,
  wallbox,
} from './home.ts';

const OFF: PowerRange = { min_W: 0, max_W: 0 };

interface DeviceRow {
  readonly is: 'boiler' | 'wallbox';
  readonly id: string;
  readonly priority?: number;
  readonly mode?: ControlMode;
  /** Energy in Wh, and hours until the deadline. */
  readonly need?: readonly [energy_Wh: number, hours: number];
  readonly setPoint_W?: number;
  readonly power_W?: number;
  readonly health?: ResourceHealth;
  readonly override?: Override;
  readonly ranges?: readonly PowerRange[];
}

interface SignalRow {
  readonly kind?: Signal['kind'];
  readonly W?: number | null;
  readonly scope?: LimitScope;
  readonly source?: string;
  readonly prices?: readonly number[];
}

/** Null: it is silent. */
type Grid = number | null | 'doubtful';
const gridOf = (said: Grid): Known =>
  said === 'doubtful' ? known(null) : known(said, said === null ? Infinity : undefined);

interface Scenario {
  readonly name: string;
  readonly grid_W?: Grid;
  readonly signals: readonly SignalRow[];
  readonly devices: readonly DeviceRow[];
  readonly expect: Readonly<
    Record<string, readonly [number, string, Record<string, number | string | null>?]>
  >;
  readonly shortfalls?: readonly (readonly [string, number | null])[];
}

interface Course {
  readonly name: string;
  readonly limit: SignalRow;
  readonly device?: DeviceRow;
  readonly steps: readonly {
    readonly s: number;
    readonly grid_W: Grid;
    readonly limited: boolean;
    readonly W?: number;
    readonly told: readonly (readonly [string, string | null])[];
  }[];
}

const read = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, 'scenarios', name), 'utf8');

function deviceOf({ is, need, ranges, power_W, ...rest }: DeviceRow): DeviceImage {
  const flexibility = {
    ...(need && { need: { energy_Wh: need[0], byMs: NOON + need[1] * HOUR } }),
    ...(ranges && { ranges }),
  };
  const build = is === 'boiler' ? boiler : wallbox;
  return build({
    priority: 5,
    ...rest,
    ...(power_W !== undefined && { power_W: known(power_W) }),
    flexibility,
  });
}

function signalOf({ kind = 'importLimit', W = null, prices: perKWh, ...rest }: SignalRow): Signal {
  if (perKWh) return prices(...perKWh);
  const now = [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, value: W }];
  return signal(kind, now, { binding: 'commandable', ...rest });
}

for (const scenario of JSON.parse(read('giving-way.json')) as readonly Scenario[]) {
  test(scenario.name, async (t) => {
    const now = image({
      grid_W: gridOf(scenario.grid_W === undefined ? 400 : scenario.grid_W),
      signals: scenario.signals.map(signalOf),
      devices: scenario.devices.map(deviceOf),
    });
    const decision = decide(now);
    for (const [id, [setPoint_W, code, values]] of Object.entries(scenario.expect)) {
      const got = decision.devices.find((d) => d.resource === id);
      // The guard speaks first where it corrects; what decided stands behind it.
      const reason = got?.reasons.find((r) => r.code !== 'GUARD');
      t.same([got?.setPoint_W, reason?.code], [setPoint_W, code], id);
      for (const [name, value] of Object.entries(values ?? {})) {
        const said = reason?.values[name];
        t.equal(typeof said === 'number' ? Math.round(said * 1000) / 1000 : said, value, `${id}: ${name}`);
      }
    }
    if (scenario.shortfalls) {
      const found = decision.limits.flatMap((limit) => shortfall(now, decision, limit) ?? []);
      t.same(
        found.map(({ reason, excess_W }) => [reason, excess_W]),
        scenario.shortfalls,
      );
    }
  });
}

for (const course of JSON.parse(read('compliance.json')) as readonly Course[]) {
  test(course.name, async (t) => {
    const limit = signalOf(course.limit);
    let known_: Compliance = [];
    for (const step of course.steps) {
      const asked = signalOf({ ...course.limit, ...(step.W !== undefined && { W: step.W }) });
      const now = image({
        elapsedMs: 1e6 + step.s * 1000,
        wallMs: NOON + step.s * 1000,
        grid_W: gridOf(step.grid_W),
        devices: course.device ? [deviceOf(course.device)] : [],
        signals: step.limited ? [{ ...asked, id: limit.id }] : [],
      });
      const { next, reports } = follow(known_, now, decide(now));
      known_ = next;
      t.same(
        reports.map((r) => [r.state, r.shortfall?.reason ?? null]),
        step.told,
        `after ${step.s} s`,
      );
    }
  });
}

test('a battery that is full, or a heat pump whose tank is hot, leaves the home no less under § 14a', async (t) => {
  const limit = limitNow(7560, { scope: 'controllable' });
  const left = (other: DeviceImage) => {
    const car = wallbox({ flexibility: { ranges: [OFF, { min_W: 1380, max_W: 11_000 }] } });
    const house = image({ devices: [car, other], signals: [limit] });
    return follow([], house, decide(house)).reports[0]?.guaranteed_W;
  };
  const watched = (device: DeviceImage, reading: Partial<StoreReading>): DeviceImage => {
    const { store } = device.flexibility;
    if (!store) throw new Error('nothing is stored');
    const watch = new StoreWatch(store);
    watch.take({ ...NOTHING_READ, ...reading });
    return { ...device, flexibility: watch.over(device.flexibility) };
  };
  const cells = battery({}, { flexibility: { steerable: true } });
  const pump = tank(
    {},
    { flexibility: { kind: 'heat-pump', steerable: true, ranges: [OFF, { min_W: 5000, max_W: 5000 }] } },
  );
  for (const [device, reading] of [
    [cells, { fill: 0.5 }],
    [cells, { fill: 1 }],
    [pump, { temperature_C: 50 }],
    [pump, { temperature_C: 66 }],
  ] as const)
    t.equal(left(watched(device, reading)), 7560, JSON.stringify(reading));
  t.equal(
    left(battery({}, { flexibility: { steerable: true, ranges: [{ min_W: -5000, max_W: 0 }] } })),
    7560,
  );
});

test('what the operator must leave under § 14a, by the number of controllable devices', async (t) => {
  const chargers = (n: number) =>
    Array.from({ length: n }, () => ({ group: 'charging' as const, rated_W: 11_000 }));
  // BK6-22-300 annex 1, 4.5.2, worked out by hand.
  const table = [0, 4200, 7560, 10_500, 13_020, 15_120, 16_800, 18_060, 18_900, 19_320, 21_210];
  t.same(
    table.map((_, n) => Math.round(guaranteed_W(chargers(n)))),
    table,
  );
  t.equal(guaranteed_W([{ group: 'heating', rated_W: 15_000 }]), 6000, 'a large heat pump keeps 40 %');
  t.equal(
    guaranteed_W([
      { group: 'heating', rated_W: 3000 },
      { group: 'heating', rated_W: 3000 },
    ]),
    4200,
    'heat pumps count together',
  );
  t.equal(guaranteed_W([{ group: 'charging', rated_W: 4200 }]), 0, 'not above 4.2 kW: none');
  t.ok(SIMULTANEITY.every(([, factor], i) => factor < (SIMULTANEITY[i - 1]?.[1] ?? 1)));
});
