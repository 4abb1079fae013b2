/** The guard over random histories, whose judge shares no line with it; and single cases of what it must not allow. */
import { test } from 'tap';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { guard } from '../../firmware/policy/guard.ts';
import { history, throughRules } from './histories.ts';
import { battery, boiler, image, inverter, known, limitNow, SITE, signal, wallbox } from './home.ts';

const HISTORIES = 20_000;

test('20 000 histories of a broken planner: nothing above a limit or a fuse beyond the reaction time', async (t) => {
  const violations: string[] = [];
  for (let seed = 1; seed <= HISTORIES; seed++) violations.push(...history(seed, guard).violations);
  t.same(violations.slice(0, 5), []);
});

test('2 000 histories of a plan gone wrong, through all rules: the same', async (t) => {
  const violations: string[] = [];
  for (let seed = 1; seed <= 2000; seed++) violations.push(...history(seed, throughRules).violations);
  t.same(violations.slice(0, 5), []);
});

/** What a guard with one fault would see; the judge has to find each. */
const FAULTS: Readonly<Record<string, (seen: Image) => Image>> = {
  'import limits': (i) => ({ ...i, signals: i.signals.filter((s) => s.kind === 'exportLimit') }),
  'export limits': (i) => ({ ...i, signals: i.signals.filter((s) => s.kind !== 'exportLimit') }),
  'the scope of a limit': (i) => ({ ...i, signals: i.signals.filter((s) => s.scope === 'site') }),
  'the fuse': (i) => ({ ...i, site: { ...i.site, fuse_A: 40 } }),
  'the age of the meter': (i) => ({
    ...i,
    grid_W: { ...i.grid_W, ageMs: 0 },
    site: { ...i.site, staleAfterMs: 1e9 },
  }),
  'minimum off times': (i) => ({ ...i, devices: i.devices.map(withoutTimes) }),
};
const withoutTimes = (d: DeviceImage): DeviceImage => ({
  ...d,
  flexibility: { ...d.flexibility, minOffMs: 0 },
});

for (const [name, blind] of Object.entries(FAULTS)) {
  test(`the judge finds a guard that is blind to ${name}`, async (t) => {
    let found = 0;
    for (let seed = 1; seed <= 10_000 && found === 0; seed++)
      found += history(seed, (seen, wanted) => guard(blind(seen), wanted)).violations.length;
    t.ok(found > 0);
  });
}

const asked = (i: Image, ...watts: number[]) =>
  guard(
    i,
    i.devices.slice(0, watts.length).map((d, k) => ({
      resource: d.id,
      setPoint_W: watts[k] ?? 0,
      reasons: [],
      planned: [],
    })),
  ).decisions.map((d) => [d.setPoint_W, d.reasons[0]?.values.check ?? null]);

test('one by one', async (t) => {
  const pump = { setPoint_W: 2000, power_W: known(2000), inStateMs: 1000, flexibility: { minOnMs: 60_000 } };
  const grid_W = known(2400);
  t.same(asked(image({ grid_W, devices: [boiler(pump)] }), 0), [[2000, 'minimum on time']]);
  t.same(asked(image({ grid_W, devices: [boiler(pump)], signals: [limitNow(1000)] }), 0), [[0, null]]);
  t.same(asked(image({ devices: [boiler({ sinceChangedMs: 300 })] }), 2000), [[0, 'waits for the meter']]);
  t.same(asked(image({ devices: [boiler({ sinceChangedMs: 300, underWay_W: 2000 })] }), 2000), [
    [2000, null],
  ]);
  t.same(asked(image({ devices: [boiler({ health: 'silent' })] }), 2000), [[0, 'device lost']]);
  t.same(asked(image({ grid_W: known(400, 60_000) }), 2000), [[0, 'stale meter']]);
  t.same(asked(image({ devices: [wallbox()] }), 5000), [[3680, 'menu']]);
  t.same(asked(image({ devices: [wallbox()] }), Number.NaN), [[0, 'menu']]);
  t.same(asked(image({ devices: [wallbox()] }), 1000), [[0, 'menu']]);
  const phase = image({ gridPhase_A: [known(1), known(25), known(1)], devices: [wallbox()] });
  t.same(asked(phase, 3680), [[2300, 'fuse']]);
  const unknown = image({ grid_W: known(5000), gridPhase_A: [known(null), known(null), known(null)] });
  t.same(asked({ ...unknown, devices: [wallbox()] }, 3680), [[2990, 'fuse']], 'all of it on this phase');
});

test('what a device whose command is unseen may draw is left free for it, before anybody else rises', async (t) => {
  const random = seededRandom(3);
  const between = (from: number, to: number): number => from + (to - from) * random.next();
  let [risen, held] = [0, 0];
  for (let turn = 0; turn < 20_000; turn++) {
    const powers = [between(-3000, 3000), between(-3000, 3000), between(-3000, 3000)].sort((a, b) => a - b);
    const [min_W = 0, told_W = 0, max_W = 0] = powers;
    const [then_W, later_W] = [between(min_W, max_W), between(min_W, max_W)];
    const cells = battery(
      {},
      {
        setPoint_W: told_W,
        sinceChangedMs: 700,
        atGrid_W: between(told_W, max_W),
        mayDraw_W: { min_W, max_W },
      },
    );
    const base_W = between(-1000, 2000);
    const limit_W = between(0, 8000);
    const phase = (base_W + then_W) / 3 / SITE.nominal_V;
    const home = image({
      grid_W: known(base_W + then_W),
      gridPhase_A: [known(phase), known(phase), known(phase)],
      devices: [wallbox(), boiler(), cells],
      signals: [limitNow(limit_W)],
    });
    const points = asked(home, between(0, 5000), 2000, between(-3000, 3000)).map(([power]) => Number(power));
    const loads_W = (points[0] ?? 0) + (points[1] ?? 0);
    if (loads_W > 0) risen += 1;
    else held += 1;
    const flows_W = base_W + loads_W + later_W;
    if (loads_W > 0 && flows_W > limit_W + 1e-6) t.fail(`${flows_W} W under ${limit_W} W`);
  }
  t.ok(risen > 5000 && held > 5000, `${risen} rose, ${held} did not`);
});

test('what the plan leaves out, says twice, or makes up', async (t) => {
  const on = { setPoint_W: 2000, power_W: known(2000) };
  const i = image({
    grid_W: known(4400),
    devices: [boiler({ id: 'a', ...on }), boiler({ id: 'b', ...on, priority: 9 })],
  });
  t.same(
    asked(i),
    [
      [2000, null],
      [2000, null],
    ],
    'left out: it goes on as it is',
  );
  t.same(
    asked({ ...i, signals: [limitNow(3000)] }),
    [
      [2000, null],
      [0, 'limit'],
    ],
    'and gives way like others',
  );
  const row = (resource: string, setPoint_W: number) => ({ resource, setPoint_W, reasons: [], planned: [] });
  const { decisions } = guard(i, [row('a', 2000), row('a', 0), row('ghost', 2000), row('b', 0)]);
  t.same(
    decisions.map((d) => [d.resource, d.setPoint_W]),
    [
      ['a', 2000],
      ['b', 0],
    ],
  );
});

test('limits: none, 0 and some; sources side by side; a value that is none', async (t) => {
  const at = (...signals: Image['signals']) => asked(image({ signals }), 2000)[0];
  t.same(at(limitNow(null)), [2000, null]);
  t.same(at(limitNow(0)), [0, 'limit']);
  t.same(at(limitNow(2400)), [2000, null]);
  t.same(at(limitNow(Number.NaN)), [0, 'limit'], 'the worst case');
  t.same(at(limitNow(null, { priority: 0 }), limitNow(0)), [2000, null], 'the better priority lifts');
  t.same(at(limitNow(null, { priority: 0 }), limitNow(0, { source: 'failsafe' })), [0, 'limit']);
  t.same(at(limitNow(0, { binding: 'informational' })), [2000, null]);
});

test('feeding in: what the house takes may be produced on top', async (t) => {
  const exportLimit = signal('exportLimit', limitNow(1000).intervals);
  const sun = inverter({ power_W: known(-4000) });
  t.same(asked(image({ grid_W: known(-3000), signals: [exportLimit], devices: [sun] }), -5000), [
    [-2000, 'export limit'],
  ]);
  t.same(asked(image({ grid_W: known(null), signals: [exportLimit], devices: [sun] }), -5000), [
    [-1000, 'export limit'],
  ]);
  t.same(asked(image({ devices: [sun] }), Number.NaN), [[0, 'menu']], 'no number: no production');
});

test('a lost battery goes on giving: under a limit of export the others make room for it', async (t) => {
  const gives = battery({}, { id: 'lost', health: 'silent', setPoint_W: -3000, atGrid_W: -3000 });
  const sun = inverter({ power_W: known(-2000), atGrid_W: -2000, setPoint_W: -5000 });
  const limit = signal('exportLimit', limitNow(4000).intervals);
  const house = { signals: [limit], devices: [sun, gives] };
  t.same(asked(image({ ...house, grid_W: known(-5000) }), -5000, 0), [
    [-1000, 'export limit'],
    [0, null],
  ]);
  const back = { ...gives, setPoint_W: 0, atGrid_W: 0 };
  t.same(
    asked(image({ ...house, devices: [sun, back], grid_W: known(-2000) }), -5000, -3000),
    [
      [-4000, 'export limit'],
      [0, 'export limit'],
    ],
    'it may not give more when it is back',
  );
  t.same(asked(image({ ...house, grid_W: known(null) }), -5000, 0), [
    [-1000, 'export limit'],
    [0, null],
  ]);
});

test('a meter that gives only the sum: what a roof may hide on one phase counts', async (t) => {
  const site = { ...SITE, fuse_A: 25, baseWorstCase_W: 5000 };
  const unknown = [known(null), known(null), known(null)] as const;
  const at = (net_W: number, production_W: number, devices = [wallbox()]) =>
    image({
      site: { ...site, productionWorstCase_W: production_W },
      grid_W: known(net_W),
      gridPhase_A: unknown,
      devices,
    });
  // 5 kW on L1, as much from the roof on L2 and L3: 750 W are left of 5.75 kW.
  t.same(asked(at(0, 5000), 3680), [[0, 'fuse']]);
  t.same(decide(at(0, 5000)).devices[0]?.reasons[0]?.code, 'HOUSE_FUSE', 'the rule sees it as well');
  t.same(decide(at(0, 5000)).corrections, []);
  t.same(asked(at(0, 1000), 3680), [[3680, null]], 'no more than the roof can give');
  t.same(asked(at(300, 20_000, [boiler()]), 2000), [[0, 'fuse']]);
  const usual = at(300, 20_000, [boiler()]);
  t.same(
    asked({ ...usual, site: { ...usual.site, baseWorstCase_W: 3000 } }, 2000),
    [[2000, null]],
    'nor than the house is said to draw: a boiler still runs',
  );
  t.same(asked(at(-4000, 0), 3680), [[1610, 'fuse']], 'a roof that nobody told of');
  const roof = inverter({ power_W: known(-4000), setPoint_W: -5000 });
  t.same(
    asked(at(-3700, 0, [wallbox(), roof]), 3680, -5000)[0],
    [3680, null],
    'one that is measured hides nothing',
  );
});
