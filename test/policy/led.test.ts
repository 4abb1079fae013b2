/** Whom a battery gives for when limits, fuse, operator or the meter hold loads off: cycle after cycle, devices doing as told. */
import fc from 'fast-check';
import { test } from 'tap';
import type { Decision, DeviceImage, Image, Known } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import { decide } from '../../firmware/policy/decide.ts';
import {
  battery,
  dishwasher,
  HOUR,
  image,
  known,
  limitNow,
  MINUTE,
  NOON,
  SITE,
  signal,
  tank,
  wallbox,
} from './home.ts';

const CYCLE_MS = 20_000;
const only = (power_W: number) => ({ min_W: power_W, max_W: power_W });

interface Life {
  /** What the house draws besides its devices, W. */
  readonly base_W?: number;
  /** Of that on L1, A; a third where nothing is said. */
  readonly baseL1_A?: number;
  readonly devices: readonly DeviceImage[];
  readonly modes?: Readonly<Record<string, Mode>>;
  readonly cycles?: number;
  readonly patch?: Partial<Image>;
}

interface Cycle {
  readonly points: Readonly<Record<string, number>>;
  readonly why: Readonly<Record<string, string | undefined>>;
  readonly grid_W: number;
  /** Where the guard had to take away. */
  readonly corrections: Decision['corrections'];
}

const RUN: Mode = { kind: 'run', upTo_W: 2000 };
const OWN_USE: Mode = { kind: 'selfConsume' };

/** Devices take what they are told, and the meter sees it before the next decision. */
function live({
  base_W = 300,
  baseL1_A = base_W / 690,
  devices,
  modes = {},
  cycles = 6,
  patch = {},
}: Life): Cycle[] {
  const told = new Map<string, number>();
  const begun = new Map<string, number>();
  const lowered = new Map<string, number>();
  const slots = Object.entries(modes).map(([id, mode]) => [
    id,
    [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode }],
  ]);
  return Array.from({ length: cycles }, (_, i): Cycle => {
    const now = devices.map((d): DeviceImage => {
      const point_W = told.get(d.id) ?? d.setPoint_W ?? 0;
      const doneMs = begun.get(d.id) ?? d.run?.doneMs ?? null;
      return {
        ...d,
        ...{ setPoint_W: point_W, power_W: known(point_W), sinceChangedMs: CYCLE_MS },
        ...(lowered.has(d.id) && { sinceLoweredMs: (i - (lowered.get(d.id) ?? 0)) * CYCLE_MS }),
        ...(d.run && { run: { ...d.run, doneMs } }),
      };
    });
    const drawn_W = now.reduce((sum, d) => sum + (d.power_W.value ?? 0), 0);
    const phase = (number: 1 | 2 | 3): Known =>
      known(
        now.reduce(
          (sum, { flexibility: { phases }, power_W }) =>
            sum + (phases.includes(number) ? (power_W.value ?? 0) / phases.length / 230 : 0),
          number === 1 ? baseL1_A : (base_W / 230 - baseL1_A) / 2,
        ),
      );
    const decision = decide(
      image({
        ...{ wallMs: NOON + i * CYCLE_MS, devices: now, modes: Object.fromEntries(slots) },
        grid_W: known(base_W + drawn_W, 100),
        gridPhase_A: [phase(1), phase(2), phase(3)],
        ...patch,
      }),
    );
    for (const { resource, setPoint_W } of decision.devices) {
      if (setPoint_W < (told.get(resource) ?? 0)) lowered.set(resource, i);
      told.set(resource, setPoint_W);
      const { run } = now.find((d) => d.id === resource) ?? {};
      if (setPoint_W > 0 && run) begun.set(resource, run.doneMs === null ? 0 : run.doneMs + CYCLE_MS);
    }
    return {
      points: Object.fromEntries(told),
      why: Object.fromEntries(decision.devices.map((d) => [d.resource, d.reasons[0]?.code])),
      grid_W: base_W + [...told.values()].reduce((sum, w) => sum + w, 0),
      corrections: decision.corrections.filter((c) => Math.abs(c.allowed_W) < Math.abs(c.wanted_W) - 1e-6),
    };
  });
}

const LATER = {
  ...{ source: 'DSO', least_W: 1500 },
  byDevice: Object.fromEntries(
    ['dishwasher', 'wallbox'].map((id) => [id, { kind: 'later', notBeforeMs: NOON + 2 * HOUR } as const]),
  ),
};
const car = () =>
  wallbox({ mode: 'cheap', flexibility: { need: { energy_Wh: 8000, byMs: NOON + 10 * HOUR } } });
const CHARGE: Mode = { kind: 'charge', upTo_W: 2300 };

test('a load that the operator wants to wait is given for by nobody', async (t) => {
  for (const load of [dishwasher(6), car()]) {
    const modes = { battery: OWN_USE, [load.id]: load.id === 'wallbox' ? CHARGE : RUN };
    const lived = live({ devices: [load, battery()], modes, patch: { admissions: LATER } });
    for (const { points, why, grid_W } of lived) {
      t.same(points, { [load.id]: 0, battery: -300 });
      t.same([why[load.id], grid_W], ['ADMISSION_LATER', 0]);
    }
  }
});

test('what a held load leaves of the sun is stored, or charges a car that waits for the sun, and nobody else begins on it', async (t) => {
  const devices = [dishwasher(6), wallbox({ mode: 'solar' }), battery({}, { priority: 9 })];
  const modes: Life['modes'] = { battery: OWN_USE, wallbox: { kind: 'surplus' }, dishwasher: RUN };
  const admissions = { ...LATER, byDevice: { ...LATER.byDevice, battery: { kind: 'granted' } as const } };
  const lived = live({ base_W: -3000, devices, modes, patch: { admissions } });
  t.same(
    lived.at(-1)?.points,
    { dishwasher: 0, wallbox: 2990, battery: 0 },
    'what loads no grid asks nobody',
  );
  const charging = { ...modes, wallbox: CHARGE };
  for (const { points } of live({ base_W: -3000, devices, modes: charging, patch: { admissions } }))
    t.same(points, { dishwasher: 0, wallbox: 0, battery: 3000 });
});

test('a load that the fuse keeps off is given for where that lets it come on, and only there', async (t) => {
  const site = { ...SITE, fuse_A: 16, phases: 3 } as const;
  const home = (baseL1_A: number, more: Partial<Life> = {}) =>
    live({
      ...{ base_W: 3500, baseL1_A, devices: [dishwasher(6), battery()], patch: { site } },
      ...{ modes: { battery: OWN_USE, dishwasher: RUN }, ...more },
    });
  const held = home(15);
  for (const { points, why, grid_W } of held) {
    t.same(points, { dishwasher: 0, battery: -3500 });
    t.same([why.dishwasher, grid_W], ['HOUSE_FUSE', 0]);
  }
  const helped = home(12);
  t.same(helped[0]?.why.dishwasher, 'HOUSE_FUSE', 'nobody draws on what is only promised');
  t.same(helped[1]?.points, { dishwasher: 2000, battery: -5000 });
  t.same(helped.at(-1)?.points, { dishwasher: 2000, battery: -5000 });
});

test('while a load settles the battery covers the house', async (t) => {
  const settling = dishwasher(6, null, { sinceLoweredMs: 10_000 });
  const modes = { battery: OWN_USE, dishwasher: RUN };
  for (const { points, why } of live({ devices: [settling, battery()], modes })) {
    t.same(points, { dishwasher: 0, battery: -300 });
    t.equal(why.dishwasher, 'SETTLING');
  }
});

test('under a limit a battery gives first where the load then comes on, and nothing where it would not', async (t) => {
  const modes = { battery: OWN_USE, dishwasher: RUN };
  const small = (discharge_W: number): DeviceImage =>
    battery({}, { flexibility: { ranges: [{ min_W: -discharge_W, max_W: 5000 }] } });
  const under = (limit_W: number, cells: DeviceImage, more: readonly DeviceImage[] = []) =>
    live({ devices: [dishwasher(6), ...more, cells], modes, patch: { signals: [limitNow(limit_W)] } });
  const enough = under(0, battery());
  t.same(enough[0]?.points, { dishwasher: 0, battery: -2300 });
  t.same(enough[1]?.points, { dishwasher: 2000, battery: -2300 });
  t.same(enough.at(-1)?.points, { dishwasher: 2000, battery: -2300 });
  const helps = under(1000, small(1500));
  t.same(helps.at(-1)?.points, { dishwasher: 2000, battery: -1500 });
  const short = under(1000, small(1300));
  for (const { points, why } of short) {
    t.same(points, { dishwasher: 0, battery: -300 });
    t.equal(why.dishwasher, 'GRID_LIMIT');
  }
  const second = { ...dishwasher(6), id: 'washer' };
  const two = live({
    devices: [dishwasher(6), second, small(2500)],
    modes: { ...modes, washer: RUN },
    patch: { signals: [limitNow(500)] },
  });
  t.same(two.at(-1)?.points, { dishwasher: 2000, washer: 0, battery: -2300 }, 'it suffices for one of two');
  t.same(
    [...short, ...two].flatMap((c) => c.corrections),
    [],
  );
});

test('what runs whatever the price and is held off by a limit is given for as well, if it then comes on', async (t) => {
  const now = { override: { kind: 'now', untilMs: null } } as const;
  const cold = tank({ temperature_C: 40 });
  const loads: readonly (readonly [string, DeviceImage])[] = [
    ['a program that has begun', dishwasher(6, 10 * MINUTE)],
    ['a program asked for at once', dishwasher(null, null, { ...now, run: { byMs: null, doneMs: null } })],
    ['a car charged at once', wallbox({ ...now, flexibility: { ranges: [0, 2000].map(only) } })],
    ['a tank that is too cold, without a plan for it', cold],
    ['a program at its last moment, without a plan for it', dishwasher(1.5)],
  ];
  const home = (load: DeviceImage, cells: DeviceImage): Cycle[] => {
    const devices = [load, cells];
    return live({ devices, modes: { battery: OWN_USE }, patch: { signals: [limitNow(1000)] } });
  };
  for (const [name, load] of loads) {
    const lived = home(load, battery());
    t.same(lived[0]?.points, { [load.id]: 0, battery: -2300 }, `${name}: first the battery`);
    t.same(lived[1]?.points, { [load.id]: 2000, battery: -2300 }, `${name}: then the load`);
    t.same(lived.at(-1)?.points, { [load.id]: 2000, battery: -2300 });
    const short = home(load, battery({}, { flexibility: { ranges: [{ min_W: -1000, max_W: 5000 }] } }));
    for (const { points } of short) t.same(points, { [load.id]: 0, battery: -300 }, `${name}: too little`);
  }
});

test('a program in its pause is not given for: the limit counts the most that it draws, the battery what it does', async (t) => {
  const devices = [dishwasher(6, 40 * MINUTE), battery()];
  const lived = live({ devices, modes: { battery: OWN_USE }, patch: { signals: [limitNow(1000)] } });
  for (const { points } of lived) t.same(points, { dishwasher: 0, battery: -300 });
});

test('power to set a program at its panel is given for by nobody', async (t) => {
  const set = dishwasher(null, null, { override: { kind: 'now', untilMs: NOON + HOUR } });
  const devices = [set, battery()];
  const lived = live({ devices, modes: { battery: OWN_USE }, patch: { signals: [limitNow(1000)] } });
  for (const { points } of lived) t.same(points, { dishwasher: 0, battery: -300 });
});

test('what was told on since the meter was read still has the battery give for it', async (t) => {
  const program = dishwasher(6, 0, { setPoint_W: 2000, sinceChangedMs: 600 });
  const cells = battery({}, { setPoint_W: -2300, power_W: known(-2300), sinceChangedMs: CYCLE_MS });
  const at = (sinceChangedMs: number) => {
    const devices = [{ ...program, sinceChangedMs }, cells];
    const signals = [limitNow(1000)];
    return decide(image({ grid_W: known(-2000, 100), devices, signals })).devices.map((d) => d.setPoint_W);
  };
  t.same(at(600), [2000, -2300]);
  t.equal(at(30_000)[1], -300, 'it has not begun: the battery gives what is drawn');
});

const power = fc.integer({ min: 0, max: 5000 });
const NOW = { override: { kind: 'now', untilMs: null } } as const;
const load = fc.record({
  build: fc.constantFrom<(id: string, priority: number) => DeviceImage>(
    (id, priority) => dishwasher(6, null, { id, priority }),
    (id, priority) => dishwasher(1, null, { id, priority, flexibility: { phases: [2] } }),
    (id, priority) => dishwasher(6, 10 * MINUTE, { id, priority }),
    (id, priority) => dishwasher(6, 40 * MINUTE, { id, priority }),
    (id, priority) => dishwasher(6, null, { id, priority, mode: 'solar' }),
    (id, priority) => wallbox({ id, priority, mode: 'cheap' }),
    (id, priority) => wallbox({ id, priority, ...NOW, flexibility: { phases: [1, 2, 3] } }),
    (id, priority) => tank({ temperature_C: 40 }, { id, priority }),
    (id, priority) => tank({}, { id, priority }),
  ),
  priority: fc.integer({ min: 0, max: 2 }),
  mode: fc.option(
    fc.oneof(
      fc.constantFrom<Mode>(RUN, { kind: 'surplus' }, { kind: 'off' }, { kind: 'heat', level: 'normal' }),
      power.map((upTo_W): Mode => ({ kind: 'charge', upTo_W })),
    ),
  ),
  isAdmitted: fc.boolean(),
});
const cells = fc.record({
  most_W: power,
  priority: fc.integer({ min: 0, max: 2 }),
  mode: fc.constantFrom<Mode>(OWN_USE, { kind: 'selfConsume', chargeUpTo_W: 0 }, { kind: 'hold' }),
});

test('a battery for own use never feeds the grid for good, and nobody asks for more than the guard allows', async (t) => {
  fc.assert(
    fc.property(
      fc.array(load, { minLength: 1, maxLength: 4 }),
      fc.array(cells, { minLength: 1, maxLength: 2 }),
      fc.integer({ min: -3000, max: 3000 }),
      fc.option(fc.integer({ min: 0, max: 6000 })),
      fc.constantFrom(16, 25, 35),
      fc.constantFrom('importLimit' as const, 'exportLimit' as const),
      (loads, stores, base_W, limit_W, fuse_A, kind) => {
        const given = loads.map((l, i) => ({ ...l, id: `d${i}` }));
        const devices = [
          ...given.map(({ id, build, priority }) => build(id, priority)),
          ...stores.map(({ most_W, priority }, i) => {
            const ranges = [{ min_W: -most_W, max_W: most_W }];
            return battery({}, { id: `b${i}`, priority, flexibility: { ranges } });
          }),
        ];
        const modes = Object.fromEntries([
          ...given.flatMap(({ id, mode }) => (mode ? [[id, mode] as const] : [])),
          ...stores.map(({ mode }, i) => [`b${i}`, mode] as const),
        ]);
        const later = { kind: 'later', notBeforeMs: NOON + HOUR } as const;
        const byDevice = Object.fromEntries([
          ...given.map(({ id, isAdmitted }) => [id, isAdmitted ? ({ kind: 'granted' } as const) : later]),
          ...stores.map((_, i) => [`b${i}`, { kind: 'granted' }]),
        ]);
        const patch: Partial<Image> = {
          site: { ...SITE, fuse_A },
          signals: limit_W === null ? [] : [signal(kind, limitNow(limit_W).intervals)],
          admissions: { source: 'DSO', least_W: 1500, byDevice },
        };
        const lived = live({ base_W, devices, modes, patch, cycles: 14 });
        const corrections = lived.flatMap((c) => c.corrections);
        if (corrections.length > 0) throw new Error(JSON.stringify(corrections));
        const isFed = ({ grid_W, points }: Cycle): boolean =>
          grid_W < -60 && Object.values(points).some((w) => w < 0);
        if (lived.slice(-6).every(isFed)) throw new Error(JSON.stringify(lived));
      },
    ),
    { numRuns: 1000, seed: 7 },
  );
  t.pass();
});
