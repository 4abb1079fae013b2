import fc from 'fast-check';
import { test } from 'tap';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import { activeLimits } from '../../firmware/policy/active-limits.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { guard } from '../../firmware/policy/guard.ts';
import {
  battery,
  boiler,
  HOUR,
  image,
  inverter,
  known,
  limitNow,
  NOON,
  prices,
  SITE,
  signal,
  wallbox,
} from './home.ts';

interface Case {
  readonly name: string;
  readonly image: Image;
  /** Set-point in W and the first reason, by device. */
  readonly expect: Readonly<Record<string, readonly [number, string]>>;
}

const need = (energy_Wh: number, hours: number) => ({ energy_Wh, byMs: NOON + hours * HOUR });
const cheapBoiler = (energy_Wh: number, hours: number, patch: Parameters<typeof boiler>[0] = {}) =>
  boiler({ mode: 'cheap', ...patch, flexibility: { need: need(energy_Wh, hours), ...patch.flexibility } });

/** Hourly prices from so many hours after `NOON` on. */
const later = (hours: number, ...perKWh: number[]) =>
  signal(
    'importPrice',
    perKWh.map((p, i) => ({
      ...{ fromMs: NOON + (hours + i) * HOUR, untilMs: NOON + (hours + i + 1) * HOUR },
      value: p / 1000,
    })),
  );

const LATER = { kind: 'later', notBeforeMs: NOON + 2 * HOUR } as const;

const CASES: readonly Case[] = [
  { name: 'nothing known against it: it runs', image: image(), expect: { boiler: [2000, 'FREE'] } },
  {
    name: 'a limit that leaves room changes nothing',
    image: image({ signals: [limitNow(4200)] }),
    expect: { boiler: [2000, 'FREE'] },
  },
  {
    name: 'a limit without room turns it off',
    image: image({ signals: [limitNow(2300)] }),
    expect: { boiler: [0, 'GRID_LIMIT'] },
  },
  {
    name: '0 W is a limit',
    image: image({ signals: [limitNow(0)] }),
    expect: { boiler: [0, 'GRID_LIMIT'] },
  },
  {
    name: 'no limit is not 0 W',
    image: image({ signals: [limitNow(null)] }),
    expect: { boiler: [2000, 'FREE'] },
  },
  {
    name: 'a price program may not command: an informational limit is ignored',
    image: image({ signals: [limitNow(0, { binding: 'informational' })] }),
    expect: { boiler: [2000, 'FREE'] },
  },
  {
    name: 'the more important device keeps its share, the other takes what fits its menu',
    image: image({ signals: [limitNow(4200)], devices: [boiler({ priority: 1 }), wallbox({ priority: 2 })] }),
    expect: { boiler: [2000, 'FREE'], wallbox: [1610, 'GRID_LIMIT'] },
  },
  {
    name: 'a device that does not want to run leaves its share to the next',
    image: image({
      signals: [limitNow(4200), prices(0.4, 0.1, 0.1, 0.1)],
      devices: [cheapBoiler(2000, 4, { priority: 1 }), wallbox({ priority: 2 })],
    }),
    expect: { boiler: [0, 'PRICE_WAIT'], wallbox: [3680, 'FREE'] },
  },
  {
    name: 'a device that the operator told to wait leaves its share of a limit to the next',
    image: image({
      signals: [limitNow(4200)],
      devices: [boiler({ priority: 1 }), wallbox({ priority: 2 })],
      admissions: { source: 'DSO', least_W: 1000, byDevice: { boiler: LATER, wallbox: { kind: 'granted' } } },
    }),
    expect: { boiler: [0, 'ADMISSION_LATER'], wallbox: [3680, 'FREE'] },
  },
  {
    name: 'and of the fuse, as long as it has to wait',
    image: image({
      gridPhase_A: [known(1), known(1), known(1)],
      devices: [boiler({ priority: 1, flexibility: { phases: [2] } }), wallbox({ priority: 2 })],
      site: { ...SITE, fuse_A: 20 },
      admissions: { source: 'DSO', least_W: 1000, byDevice: { boiler: LATER, wallbox: { kind: 'granted' } } },
    }),
    expect: { boiler: [0, 'ADMISSION_LATER'], wallbox: [3680, 'FREE'] },
  },
  {
    name: 'what one limit takes from a device the next limit can give to another',
    image: image({
      signals: [limitNow(2000, { scope: 'controllable' }), limitNow(4600)],
      devices: [wallbox({ priority: 1 }), boiler({ priority: 2 })],
    }),
    expect: { wallbox: [1840, 'GRID_LIMIT'], boiler: [2000, 'FREE'] },
  },
  {
    name: 'a limit on controllable devices lets the oven be',
    image: image({
      grid_W: known(5000),
      signals: [limitNow(4200, { scope: 'controllable' })],
      devices: [wallbox()],
    }),
    expect: { wallbox: [3680, 'FREE'] },
  },
  {
    name: 'what runs already is not counted twice',
    image: image({
      grid_W: known(2400),
      signals: [limitNow(2600)],
      devices: [boiler({ setPoint_W: 2000, power_W: known(2000) })],
    }),
    expect: { boiler: [2000, 'FREE'] },
  },
  {
    name: 'without a fresh meter nothing rises',
    image: image({ grid_W: known(400, 60_000), devices: [boiler({ setPoint_W: null })] }),
    expect: { boiler: [0, 'STALE_METER'] },
  },
  {
    name: 'without a fresh meter what runs may go on',
    image: image({ grid_W: known(null), devices: [boiler({ setPoint_W: 2000 })] }),
    expect: { boiler: [2000, 'FREE'] },
  },
  {
    name: 'the fuse of one phase',
    image: image({ gridPhase_A: [known(30), known(1), known(1)] }),
    expect: { boiler: [0, 'HOUSE_FUSE'] },
  },
  {
    name: 'the wallbox slows down under the fuse of its phase',
    image: image({ gridPhase_A: [known(1), known(25), known(1)], devices: [wallbox()] }),
    expect: { wallbox: [2300, 'HOUSE_FUSE'] },
  },
  {
    name: 'it waits for the cheap hour',
    image: image({ signals: [prices(0.4, 0.2, 0.3, 0.3)], devices: [cheapBoiler(1500, 4)] }),
    expect: { boiler: [0, 'PRICE_WAIT'] },
  },
  {
    name: 'what is not there yet waits for its time, however cheap it is now',
    image: image({
      signals: [prices(0.1, 0.4, 0.2, 0.3, 0.3)],
      devices: [cheapBoiler(1500, 5, { flexibility: { need: { ...need(1500, 5), fromMs: NOON + HOUR } } })],
    }),
    expect: { boiler: [0, 'PRICE_WAIT'] },
  },
  {
    name: 'without a price too',
    image: image({
      devices: [cheapBoiler(1500, 5, { flexibility: { need: { ...need(1500, 5), fromMs: NOON + HOUR } } })],
    }),
    expect: { boiler: [0, 'NO_NEED'] },
  },
  {
    name: 'and takes what is the cheapest from then on',
    image: image({
      wallMs: NOON + 2 * HOUR,
      signals: [prices(0.1, 0.4, 0.2, 0.3, 0.3)],
      devices: [cheapBoiler(1500, 5, { flexibility: { need: { ...need(1500, 5), fromMs: NOON + HOUR } } })],
    }),
    expect: { boiler: [2000, 'PRICE_RUN'] },
  },
  {
    name: 'an hour whose price is not known is not chosen before one that is known to be cheap',
    image: image({
      signals: [prices(0.4), later(2, 0.1, 0.3)],
      wallMs: NOON + HOUR,
      devices: [cheapBoiler(1500, 4)],
    }),
    expect: { boiler: [0, 'PRICE_WAIT'] },
  },
  {
    name: 'it runs in the cheap hour',
    image: image({ signals: [prices(0.1, 0.2, 0.3, 0.3)], devices: [cheapBoiler(1500, 4)] }),
    expect: { boiler: [2000, 'PRICE_RUN'] },
  },
  {
    name: 'the deadline comes first: no time to wait',
    image: image({ signals: [prices(0.4, 0.1)], devices: [cheapBoiler(4000, 2)] }),
    expect: { boiler: [2000, 'DEADLINE_RUN'] },
  },
  {
    name: 'no price: it runs at once',
    image: image({ devices: [cheapBoiler(4000, 2)] }),
    expect: { boiler: [2000, 'NO_PRICE'] },
  },
  {
    name: 'a price in another currency is no price',
    image: image({
      signals: [{ ...prices(0.4, 0.1, 0.1, 0.1), currency: 'SEK' }],
      devices: [cheapBoiler(2000, 4)],
    }),
    expect: { boiler: [2000, 'NO_PRICE'] },
  },
  {
    name: 'no clock: price waits do not count, stored limits do',
    image: image({
      wallTrusted: false,
      wallMs: 1000,
      signals: [limitNow(1000), prices(0.4, 0.1)],
      devices: [cheapBoiler(2000, 4)],
    }),
    expect: { boiler: [0, 'GRID_LIMIT'] },
  },
  {
    name: 'what it needs is there',
    image: image({ signals: [prices(0.1, 0.2)], devices: [cheapBoiler(0, 2)] }),
    expect: { boiler: [0, 'NO_NEED'] },
  },
  {
    name: 'own solar runs it before its cheap hour',
    image: image({
      grid_W: known(-2500),
      signals: [prices(0.4, 0.1, 0.1, 0.1)],
      devices: [cheapBoiler(2000, 4)],
    }),
    expect: { boiler: [2000, 'OWN_SOLAR'] },
  },
  {
    name: 'a solar device takes the surplus in its steps',
    image: image({ grid_W: known(-2000), devices: [wallbox({ mode: 'solar' })] }),
    expect: { wallbox: [1840, 'OWN_SOLAR'] },
  },
  {
    name: 'no surplus, no solar charging',
    image: image({ grid_W: known(200), devices: [wallbox({ mode: 'solar' })] }),
    expect: { wallbox: [0, 'OWN_SOLAR'] },
  },
  {
    name: 'the owner says now',
    image: image({
      signals: [prices(0.4, 0.1, 0.1)],
      devices: [cheapBoiler(2000, 3, { override: { kind: 'now', untilMs: NOON + HOUR } })],
    }),
    expect: { boiler: [2000, 'OWNER_NOW'] },
  },
  {
    name: 'the owner says now, the operator says no',
    image: image({ signals: [limitNow(0)], devices: [boiler({ override: { kind: 'now', untilMs: null } })] }),
    expect: { boiler: [0, 'GRID_LIMIT'] },
  },
  {
    name: 'the owner says not before six',
    image: image({ devices: [boiler({ override: { kind: 'notBefore', atMs: NOON + HOUR } })] }),
    expect: { boiler: [0, 'OWNER_NOT_BEFORE'] },
  },
  {
    name: 'it was just switched on: it stays on against a price',
    image: image({
      signals: [prices(0.4, 0.1, 0.1, 0.1)],
      devices: [
        cheapBoiler(2000, 4, { setPoint_W: 2000, inStateMs: 1000, flexibility: { minOnMs: 60_000 } }),
      ],
    }),
    expect: { boiler: [2000, 'MINIMUM_ON'] },
  },
  {
    name: 'it was just switched on: a limit takes it off all the same',
    image: image({
      signals: [limitNow(500)],
      devices: [boiler({ setPoint_W: 2000, inStateMs: 1000, flexibility: { minOnMs: 60_000 } })],
    }),
    expect: { boiler: [0, 'GRID_LIMIT'] },
  },
  {
    name: 'it was just switched off: it stays off',
    image: image({
      devices: [boiler({ setPoint_W: 0, inStateMs: 1000, flexibility: { minOffMs: 60_000 } })],
    }),
    expect: { boiler: [0, 'MINIMUM_OFF'] },
  },
  {
    name: 'a minimum time is no reason for what would be off anyway',
    image: image({
      signals: [prices(0.4, 0.2, 0.3, 0.3)],
      devices: [
        cheapBoiler(1500, 4, { setPoint_W: 0, inStateMs: 1000, flexibility: { minOffMs: 60_000 } }),
        wallbox({ setPoint_W: 0, inStateMs: 1000, flexibility: { minOffMs: 60_000 } }),
      ],
    }),
    expect: { boiler: [0, 'PRICE_WAIT'], wallbox: [0, 'MINIMUM_OFF'] },
  },
  {
    name: 'nor for what would run anyway',
    image: image({
      signals: [prices(0.1, 0.2, 0.3, 0.3)],
      devices: [
        cheapBoiler(1500, 4, { setPoint_W: 2000, inStateMs: 1000, flexibility: { minOnMs: 60_000 } }),
      ],
    }),
    expect: { boiler: [2000, 'PRICE_RUN'] },
  },
  {
    name: 'no hunting: right after lowering nothing is raised',
    image: image({ devices: [wallbox({ setPoint_W: 1840, sinceLoweredMs: 5000 })] }),
    expect: { wallbox: [1840, 'SETTLING'] },
  },
  {
    name: 'an export limit turns production down to what the house takes and the limit',
    image: image({
      grid_W: known(-3000),
      signals: [signal('exportLimit', [{ fromMs: NOON, untilMs: NOON + HOUR, value: 1000 }])],
      devices: [inverter({ power_W: known(-4000) })],
    }),
    expect: { inverter: [-2000, 'EXPORT_LIMIT'] },
  },
  {
    name: 'what another may be about to take of the sun is not taken twice',
    image: image({
      grid_W: known(-4000),
      devices: [
        wallbox({
          ...{ mode: 'solar', priority: 1, setPoint_W: 3680, sinceChangedMs: 300, atGrid_W: 3680 },
          mayDraw_W: { min_W: 0, max_W: 3680 },
        }),
        boiler({ mode: 'solar' }),
      ],
    }),
    expect: { wallbox: [3680, 'OWN_SOLAR'], boiler: [0, 'OWN_SOLAR'] },
  },
  {
    name: 'what nobody knows of holds everybody up until the meter has seen it',
    image: image({ devices: [wallbox({ sinceChangedMs: 300, setPoint_W: 1380 }), boiler()] }),
    expect: { wallbox: [1380, 'SETTLING'], boiler: [0, 'SETTLING'] },
  },
  {
    name: 'what is known to take a little more or less holds up nobody that has room',
    image: image({
      devices: [
        battery({}, { sinceChangedMs: 300, setPoint_W: -300, mayDraw_W: { min_W: -700, max_W: 0 } }),
        boiler(),
      ],
    }),
    expect: { battery: [-300, 'PLANNED'], boiler: [2000, 'FREE'] },
  },
  {
    name: 'a lost device is not raised',
    image: image({ devices: [boiler({ health: 'silent', setPoint_W: 0 })] }),
    expect: { boiler: [0, 'GUARD'] },
  },
];

for (const c of CASES) {
  test(c.name, async (t) => {
    const decision = decide(c.image);
    const got = Object.fromEntries(
      decision.devices.map((d) => [d.resource, [d.setPoint_W, d.reasons[0]?.code]]),
    );
    t.same(got, c.expect);
  });
}

test('overlapping events: priority, then the tighter one; sources hold side by side', async (t) => {
  const at = (signals: Image['signals']) => activeLimits(image({ signals })).map((l) => l.limit_W);
  t.same(at([limitNow(5000, { priority: 0 }), limitNow(1000, { priority: 3 })]), [5000]);
  t.same(at([limitNow(5000), limitNow(1000)]), [1000], 'a tie');
  t.same(
    at([limitNow(null, { priority: 0 }), limitNow(1000, { priority: 3 })]),
    [],
    'a stronger "none" lifts',
  );
  t.same(at([limitNow(5000), limitNow(4000, { source: 'failsafe', priority: 9 })]), [4000], 'two sources');
});

// ---- properties over random homes ----

const knownPower = fc.record({
  value: fc.option(fc.double({ min: -12_000, max: 20_000, noNaN: true }), { freq: 6 }),
  ageMs: fc.constantFrom(200, 900, 5_000, 60_000, Infinity),
});
const device = fc
  .record({
    base: fc.constantFrom(boiler, wallbox),
    setPoint_W: fc.constantFrom(null, 0, 2000, 1840),
    power_W: knownPower.map((k) => ({ ...k, value: k.value === null ? null : Math.abs(k.value) % 4000 })),
    priority: fc.integer({ min: 0, max: 9 }),
    mode: fc.constantFrom('cheap' as const, 'solar' as const, 'always' as const),
    health: fc.constantFrom('ok' as const, 'ok' as const, 'silent' as const),
    inStateMs: fc.constantFrom(0, 30_000, Infinity),
    now: fc.boolean(),
  })
  .map(
    ({ base, now, ...rest }): DeviceImage =>
      base({ ...rest, override: now ? { kind: 'now', untilMs: null } : { kind: 'automatic' } }),
  );
const home = fc
  .record({
    grid_W: knownPower,
    gridPhase_A: fc
      .tuple(knownPower, knownPower, knownPower)
      .map((l) => l.map((k) => ({ ...k, value: k.value === null ? null : k.value / 230 }))),
    devices: fc.array(device, { maxLength: 5 }),
    limit: fc.option(fc.double({ min: 0, max: 12_000, noNaN: true })),
    wallTrusted: fc.boolean(),
  })
  .map(({ limit, devices, gridPhase_A, ...rest }): Image => {
    const [a = known(null), b = known(null), c = known(null)] = gridPhase_A;
    return image({
      ...rest,
      gridPhase_A: [a, b, c],
      devices: devices.map((d, i) => ({ ...d, id: `${d.id}-${i}` })),
      signals: limit === null ? [] : [limitNow(limit)],
    });
  });

const fresh = (k: { value: number | null; ageMs: number }) =>
  k.value !== null && k.ageMs <= SITE.staleAfterMs;
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

/** What the meter will show once every device has taken its set-point. */
function expected_W(i: Image, setPoints: readonly number[]): number {
  const drawn = sum(i.devices.map((d) => (fresh(d.power_W) ? Math.max(0, d.power_W.value ?? 0) : 0)));
  const rest = fresh(i.grid_W) ? (i.grid_W.value ?? 0) - drawn : SITE.baseWorstCase_W;
  return rest + sum(setPoints);
}

test('never above the limit with anything that can be steered', async (t) => {
  fc.assert(
    fc.property(home, (i) => {
      const [limit] = activeLimits(i);
      if (!limit) return;
      const points = decide(i).devices.map((d) => d.setPoint_W);
      if (sum(points) > 0 && expected_W(i, points) > limit.limit_W + 1e-3) {
        throw new Error(`${expected_W(i, points)} W above ${limit.limit_W} W`);
      }
    }),
    { numRuns: 5000, seed: 14 },
  );
  t.pass('5000 homes');
});

test('a broken planner changes nothing about the limits', async (t) => {
  const wild = fc.constantFrom(Number.NaN, Infinity, -Infinity, 1e9, -5, 1999.9, 2000, 3680);
  fc.assert(
    fc.property(home, fc.array(wild, { minLength: 5, maxLength: 5 }), (i, values) => {
      const wanted = i.devices.map((d, k) => ({
        resource: d.id,
        setPoint_W: values[k] ?? 0,
        reasons: [],
        planned: [],
      }));
      const { decisions } = guard(i, wanted);
      for (const d of decisions) {
        const menu = i.devices.find((x) => x.id === d.resource)?.flexibility.ranges ?? [];
        if (!menu.some((r) => r.min_W <= d.setPoint_W && d.setPoint_W <= r.max_W))
          throw new Error(`${d.setPoint_W} is not on the menu`);
      }
      const points = decisions.map((d) => d.setPoint_W);
      const [limit] = activeLimits(i);
      if (limit && sum(points) > 0 && expected_W(i, points) > limit.limit_W + 1e-3)
        throw new Error('above the limit');
      for (const [index, phase] of i.gridPhase_A.entries()) {
        if (!fresh(phase)) continue;
        const here = i.devices.filter((d) => d.flexibility.phases.some((p) => p === index + 1));
        const drawn = sum(here.map((d) => (fresh(d.power_W) ? Math.max(0, d.power_W.value ?? 0) / 230 : 0)));
        const added = sum(
          here.map((d) => (decisions.find((x) => x.resource === d.id)?.setPoint_W ?? 0) / 230),
        );
        if (added > 0 && (phase.value ?? 0) - drawn + added > SITE.fuse_A + 1e-6)
          throw new Error('above the fuse');
      }
    }),
    { numRuns: 5000, seed: 15 },
  );
  t.pass('5000 homes, random instructions');
});

test('more knowledge lost, never more load', async (t) => {
  fc.assert(
    fc.property(home, (i) => {
      const blind = {
        ...i,
        grid_W: known(null, Infinity),
        gridPhase_A: [known(null), known(null), known(null)] as const,
      };
      for (const d of decide(blind).devices) {
        const now = i.devices.find((x) => x.id === d.resource)?.setPoint_W ?? 0;
        if (d.setPoint_W > now)
          throw new Error(`${d.resource} rises from ${now} to ${d.setPoint_W} in the dark`);
      }
    }),
    { numRuns: 3000, seed: 16 },
  );
  t.pass('3000 homes');
});

test('the same image gives the same decision', async (t) => {
  fc.assert(
    fc.property(home, (i) => {
      const [first, second] = [decide(i), decide(i)].map((d) => JSON.stringify(d));
      if (first !== second) throw new Error('differs');
    }),
    { numRuns: 300, seed: 17 },
  );
  t.pass('300 homes');
});
