/** Modes and the fast loop that carries them out: what they mean, what is done on what is measured, and never too much. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode, PlannedDevice } from '../../firmware/domain/mode.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { modesOf } from '../../firmware/policy/followers/modes-of.ts';
import { boiler, HOUR, image, inverter, known, limitNow, NOON, signal, wallbox } from './home.ts';

type Patch = {
  setPoint_W?: number;
  power_W?: number;
  sinceChangedMs?: number;
  priority?: number;
  id?: string;
};

const battery = ({ power_W = 0, ...rest }: Patch = {}): DeviceImage =>
  boiler({
    id: 'it',
    ...rest,
    power_W: known(power_W),
    flexibility: {
      kind: 'battery',
      ranges: [{ min_W: -3000, max_W: 3000 }],
      phases: [1, 2, 3],
      worstCase_W: 3000,
    },
  });
const heatPump = (patch: Patch = {}): DeviceImage =>
  boiler({
    id: 'it',
    ...patch,
    power_W: known(patch.power_W ?? 0),
    flexibility: {
      kind: 'heat-pump',
      ranges: [0, 800, 1500, 3000].map((p) => ({ min_W: p, max_W: p })),
      phases: [1, 2, 3],
    },
  });
const car = (patch: Patch = {}): DeviceImage =>
  wallbox({ id: 'it', ...patch, power_W: known(patch.power_W ?? 0) });
const roof = (): DeviceImage => inverter({ id: 'it', power_W: known(-2000) });

const all = (modes: Readonly<Record<string, Mode>>): NonNullable<Image['modes']> =>
  Object.fromEntries(
    Object.entries(modes).map(([id, mode]) => [id, [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode }]]),
  );

interface Case {
  readonly name: string;
  readonly device?: 'car' | 'heat' | 'roof';
  readonly grid_W: number | null;
  readonly battery?: Patch;
  readonly mode?: Mode;
  readonly limit_W?: number;
  readonly exportLimit_W?: number;
  readonly point_W: number;
}

const file = path.join(import.meta.dirname, 'scenarios/following.json');
for (const c of JSON.parse(readFileSync(file, 'utf8')) as readonly Case[]) {
  test(c.name, async (t) => {
    const build = { car, heat: heatPump, roof, battery };
    const exportLimit = limitNow(c.exportLimit_W ?? null).intervals;
    const now = image({
      grid_W: known(c.grid_W),
      devices: [build[c.device ?? 'battery'](c.battery)],
      modes: c.mode ? all({ it: c.mode }) : {},
      signals: [
        ...(c.limit_W === undefined ? [] : [limitNow(c.limit_W)]),
        ...(c.exportLimit_W === undefined ? [] : [signal('exportLimit', exportLimit)]),
      ],
    });
    t.equal(decide(now).devices[0]?.setPoint_W, c.point_W);
  });
}

test('what a planned power means', async (t) => {
  const mean = (device: PlannedDevice, grid_W: number): Mode | undefined =>
    modesOf([{ fromMs: 0, untilMs: 1, grid_W, devices: { it: device } }]).it?.[0]?.mode;
  const stored = (power_W: number) => ({ is: 'battery', power_W, most_W: 3000 }) as const;
  t.same(mean(stored(1000), 1500), { kind: 'charge', upTo_W: 1000 });
  t.same(mean(stored(1000), 0), { kind: 'selfConsume' });
  t.same(mean(stored(1000), -800), { kind: 'selfConsume', chargeUpTo_W: 1000 });
  t.same(mean(stored(-1000), -800), { kind: 'discharge', target_W: 1000 });
  t.same(mean(stored(-1000), 0), { kind: 'selfConsume' });
  t.same(mean(stored(-1000), 700), { kind: 'selfConsume', dischargeUpTo_W: 1000 });
  t.same(mean(stored(0), 700), { kind: 'selfConsume', dischargeUpTo_W: 0 });
  t.same(mean(stored(0), -700), { kind: 'selfConsume', chargeUpTo_W: 0 });
  t.same(mean({ is: 'car', power_W: 3000, most_W: 3680 }, 500), { kind: 'charge', upTo_W: 3000 });
  t.same(mean({ is: 'car', power_W: 3000, most_W: 3680 }, 0), { kind: 'surplus' });
  t.same(mean({ is: 'car', power_W: 0, most_W: 3680 }, 0), { kind: 'off' });
  const heated = (power_W: number, levels_W?: number[], isBeyondBand = false): Mode | undefined =>
    mean({ is: 'heat', power_W, most_W: 3000, ...(levels_W && { levels_W }), isBeyondBand }, 0);
  const levels = [800, 1500, 3000];
  t.same(heated(3000, levels), { kind: 'heat', level: 'boost' });
  t.same(heated(1600, levels), { kind: 'heat', level: 'normal' });
  t.same(heated(800, levels), { kind: 'heat', level: 'reduced' });
  t.same(heated(3000, [3000]), { kind: 'heat', level: 'normal' }, 'on or off: within the band');
  t.same(heated(3000, [3000], true), { kind: 'heat', level: 'boost' }, 'beyond it only where that is meant');
  t.same(heated(1100), { kind: 'heat', level: 'reduced', upTo_W: 1100 }, 'any power: as planned');
  t.same(heated(0), { kind: 'heat', level: 'off' });
  t.same(mean({ is: 'load', power_W: 500, most_W: 500 }, 0), { kind: 'run', upTo_W: 500 });
  t.same(mean({ is: 'solar', power_W: -4000, most_W: 4000 }, 0), { kind: 'produce', upTo_W: Infinity });
  t.same(mean({ is: 'solar', power_W: -1000, most_W: 4000 }, -5), { kind: 'gridTarget', grid_W: -5 });
});

test('two that take the surplus share it by priority', async (t) => {
  const now = image({
    grid_W: known(-4000),
    devices: [battery({ id: 'store', priority: 2 }), car({ id: 'car', priority: 1 })],
    modes: all({ store: { kind: 'selfConsume' }, car: { kind: 'surplus' } }),
  });
  const points = Object.fromEntries(decide(now).devices.map((d) => [d.resource, d.setPoint_W]));
  t.same(points, { car: 3680, store: 320 });
});

test('two batteries do not pass energy to each other, and no car takes it for sun', async (t) => {
  const points = (grid_W: number, modes: Readonly<Record<string, Mode>>, ...devices: DeviceImage[]) =>
    Object.fromEntries(
      decide(image({ grid_W: known(grid_W), devices, modes: all(modes) })).devices.map((d) => [
        d.resource,
        d.setPoint_W,
      ]),
    );
  const [a, b] = [battery({ id: 'a' }), battery({ id: 'b' })];
  t.same(
    points(500, { a: { kind: 'charge', upTo_W: 3000 } }, a, b),
    { a: 3000, b: -500 },
    'one charges from the grid: the other covers the house alone',
  );
  t.same(
    points(500, { a: { kind: 'discharge', target_W: 3000 } }, a, b),
    { a: -3000, b: 0 },
    'one gives to the grid: the other does not take it',
  );
  t.same(points(-4000, {}, a, b), { a: 3000, b: 1000 }, 'both take the sun, one after the other');
  t.same(points(4000, {}, a, b), { a: -3000, b: -1000 });
  t.same(
    points(
      500,
      { a: { kind: 'discharge', target_W: 3000 }, car: { kind: 'surplus' } },
      a,
      car({ id: 'car' }),
    ),
    { a: -3000, car: 0 },
  );
  const full = { ...a, flexibility: { ...a.flexibility, ranges: [{ min_W: -3000, max_W: 0 }] } };
  t.same(points(-800, {}, full), { a: 0 }, 'a full battery is no roof: it gives nothing away');
  const store = {
    ...({ kind: 'battery', capacity_Wh: 10_000, leastFill: 0.1, mostFill: 1, fill: null } as const),
    ...{ charge_W: 3000, discharge_W: 3000, chargeEfficiency: 0.95, dischargeEfficiency: 0.95 },
    ...{ wear_perWh: 0, gridCharge: true, gridDischarge: true },
  };
  t.same(
    points(-800, {}, { ...a, flexibility: { ...a.flexibility, store } }),
    { a: 0 },
    'nobody knows how full it is',
  );
  t.same(points(800, {}, { ...a, override: { kind: 'off' } }), { a: 0 }, 'its owner said off');
});

const power = fc.integer({ min: 0, max: 4000 });
const mode: fc.Arbitrary<Mode> = fc.oneof(
  fc.constantFrom<Mode>({ kind: 'selfConsume' }, { kind: 'hold' }, { kind: 'surplus' }, { kind: 'off' }),
  power.map((upTo_W): Mode => ({ kind: 'charge', upTo_W })),
  power.map((target_W): Mode => ({ kind: 'discharge', target_W })),
  fc.integer({ min: -5000, max: 5000 }).map((grid_W): Mode => ({ kind: 'gridTarget', grid_W })),
  fc
    .constantFrom('off' as const, 'reduced' as const, 'normal' as const, 'boost' as const)
    .map((level): Mode => ({ kind: 'heat', level })),
);
const memberOf = (build: (patch: Patch) => DeviceImage, ...powers: number[]) =>
  fc.record({
    build: fc.constant(build),
    setPoint_W: fc.constantFrom(...powers),
    power_W: fc.constantFrom(...powers),
    priority: fc.integer({ min: 0, max: 3 }),
    sinceChangedMs: fc.constantFrom(200, 60_000),
    mode,
  });
const member = fc.oneof(
  memberOf(battery, 0, 1840, 3000, -2000),
  memberOf(car, 0, 1840, 2990),
  memberOf(heatPump, 0, 800, 3000),
);

test('a follower never asks for more than the guard allows', async (t) => {
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 4 }),
      fc.option(fc.integer({ min: -6000, max: 9000 }), { freq: 8 }),
      fc.constantFrom('importLimit' as const, 'exportLimit' as const),
      fc.integer({ min: 0, max: 9000 }),
      (members, grid_W, kind, limit_W) => {
        const devices = members.map(({ build, mode: _mode, ...patch }, i) =>
          build({ ...patch, id: `d${i}` }),
        );
        const modes = all(Object.fromEntries(members.map((m, i) => [`d${i}`, m.mode])));
        const signals = [signal(kind, limitNow(limit_W).intervals)];
        const { corrections } = decide(image({ grid_W: known(grid_W), devices, modes, signals }));
        const above = corrections.filter((c) => Math.abs(c.allowed_W) < Math.abs(c.wanted_W) - 1e-6);
        if (above.length > 0) throw new Error(JSON.stringify(above));
      },
    ),
    { numRuns: 5000, seed: 18 },
  );
  t.pass('5000 homes');
});

/** A quarter hour of minutes around the same mean: what the meter counts as imported, in Wh. */
function imported_Wh(minutes: readonly number[], modes: Image['modes']): number {
  let point_W = 0;
  let energy_Wh = 0;
  for (const base_W of minutes) {
    const grid_W = base_W + point_W;
    const now = image({
      grid_W: known(grid_W),
      devices: [battery({ setPoint_W: point_W, power_W: point_W })],
      ...(modes && { modes }),
    });
    point_W = decide(now).devices[0]?.setPoint_W ?? 0;
    energy_Wh += Math.max(0, base_W + point_W) / 60;
  }
  return energy_Wh;
}

test('replayed by the minute a mode keeps what bare watts lose', async (t) => {
  // Clouds: 1.5 kW of sun on average over a house of 0.5 kW, as a planner would see −1 kW.
  const minutes = [-3500, -3200, 500, 500, -3500, 400, 500, -3000, -2500, 500, 500, -3500, 600, 500, 700];
  const watts = imported_Wh(minutes, all({ it: { kind: 'charge', upTo_W: 1000 } }));
  const led = imported_Wh(minutes, all({ it: { kind: 'selfConsume' } }));
  t.ok(
    led < watts / 4,
    `${Math.round(led)} Wh imported with a mode, ${Math.round(watts)} Wh with bare watts`,
  );
});
