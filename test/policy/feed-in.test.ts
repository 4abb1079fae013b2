/** Where feeding in costs, a roof that can be told gives what the house and its batteries take: with a plan and without. */
import { test } from 'tap';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Signal } from '../../firmware/domain/signal.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { clearSky_W } from '../../firmware/policy/forecast/clear-sky.ts';
import { battery, boiler, HOUR, image, inverter, known, SITE, signal } from './home.ts';
import { follow, planned } from './planned.ts';

const NOW = Date.UTC(2026, 5, 15, 11);
const QUARTER_MS = 900_000;
const BERLIN = { latitude: 52.5, longitude: 13.4 };
const ROOF = { peak_W: 5000, tilt: 35, azimuth: 180 };

const prices = (kind: 'importPrice' | 'exportPrice', perKWh: (hour: number) => number): Signal =>
  signal(
    kind,
    Array.from({ length: 26 }, (_, i) => i - 2).map((hour) => ({
      ...{ fromMs: NOW + hour * HOUR, untilMs: NOW + (hour + 1) * HOUR, value: perKWh(hour) / 1000 },
    })),
  );
const COSTS = [prices('importPrice', () => 0.25), prices('exportPrice', (h) => (h < 6 ? -0.2 : 0.05))];

const FULL = battery({ fill: 1 }, { setPoint_W: 0, flexibility: { ranges: [{ min_W: -5000, max_W: 0 }] } });

/** A house that takes 400 W, under a roof that gives so much of what it may. */
const home = (
  gives_W: number,
  told_W: number,
  beside: readonly DeviceImage[],
  patch: Partial<Image> = {},
): Image => {
  const others_W = beside.reduce((sum, d) => sum + (d.power_W.value ?? 0), 0);
  const grid = 400 + others_W - gives_W;
  const phase = known(grid / 3 / SITE.nominal_V);
  return image({
    ...{ wallMs: NOW, grid_W: known(grid), gridPhase_A: [phase, phase, phase], signals: COSTS },
    devices: [...beside, inverter({ power_W: known(-gives_W), setPoint_W: told_W })],
    ...patch,
  });
};

const points = (seen: Image) =>
  Object.fromEntries(
    decide(seen).devices.map((d) => [d.resource, [Math.round(d.setPoint_W), d.reasons[0]?.code]]),
  );

test('without any plan: it gives what the house takes, and says what feeding in would cost', async (t) => {
  t.same(points(home(4400, -5000, [])), { inverter: [-400, 'EXPORT_COSTS'] });
  t.same(points(home(400, -400, [])), { inverter: [-400, 'EXPORT_COSTS'] }, 'and stays there');
  const [roof] = decide(home(4400, -5000, [])).devices;
  t.match(roof?.reasons, [{ code: 'EXPORT_COSTS', values: { costs: 0.2 / 1000 } }]);
  t.same(
    points(home(300, -5000, [])),
    { inverter: [-400, 'EXPORT_COSTS'] },
    'what the house would take and has not',
  );
  const small = home(400, -400, []);
  t.same(
    points({ ...small, grid_W: known(30) }).inverter,
    [-400, 'EXPORT_COSTS'],
    'not told anew for little more',
  );
  t.same(points({ ...small, grid_W: known(-30) }).inverter, [-400, 'EXPORT_COSTS'], 'nor for little less');
  t.same(points({ ...small, grid_W: known(-60) }).inverter, [-340, 'EXPORT_COSTS']);
});

test('it is free where feeding in costs nothing, and where nobody knows', async (t) => {
  const at = (patch: Partial<Image>) => points(home(4400, -5000, [], patch)).inverter;
  const free = [-5000, 'FREE'];
  t.same(at({ signals: [prices('exportPrice', () => 0)] }), free);
  t.same(at({ signals: [] }), free, 'no price');
  t.same(at({ wallTrusted: false }), free, 'no clock');
  t.same(at({ grid_W: known(null) }), [-5000, 'EXPORT_COSTS'], 'no meter: it gives what it can');
  const fixed = {
    ...SITE,
    exportTariff: [{ from: null, steps: [{ from: '00:00', days: 'all', price: -0.001 }] }],
  } as Image['site'];
  t.same(at({ signals: [], site: fixed }), [-400, 'EXPORT_COSTS'], 'by the contract');
  const old = inverter({ id: 'old', power_W: known(-4400), flexibility: { controlType: 'NOT_CONTROLABLE' } });
  t.same(
    points(home(0, 0, [old])).inverter,
    [0, 'EXPORT_COSTS'],
    'beside one that cannot be told and gives enough',
  );
});

test('what a battery can take it gives as well; a full one takes nothing', async (t) => {
  const cells = battery({}, { setPoint_W: 0 });
  const small = { flexibility: { ranges: [{ min_W: -2000, max_W: 2000 }] }, setPoint_W: 0 };
  t.same(points(home(400, -400, [battery({}, small)])).inverter, [-2400, 'EXPORT_COSTS']);
  t.same(points(home(4400, -5000, [cells])), {
    battery: [4000, 'PLANNED'],
    inverter: [-5000, 'EXPORT_COSTS'],
  });
  t.same(points(home(4400, -5000, [FULL])), { battery: [0, 'PLANNED'], inverter: [-400, 'EXPORT_COSTS'] });
  t.same(points(home(4400, -5000, [battery({ fill: 1 }, small)])).inverter, [-400, 'EXPORT_COSTS']);
  const off = battery({}, { ...small, override: { kind: 'off' } });
  t.same(
    points(home(4400, -5000, [off])).inverter,
    [-400, 'EXPORT_COSTS'],
    'nor one that its owner has stopped',
  );
  t.same(points(home(4400, -5000, [boiler({ mode: 'always' })])).boiler, [2000, 'FREE']);
});

test('a fresh install that plans: before it has learnt what the roof gives it is held all the same', async (t) => {
  const house = home(4400, -4400, [FULL]);
  const { planner } = await planned(house);
  t.same(points(follow(house, planner)).inverter, [-400, 'EXPORT_COSTS']);
});

test('what a held roof gave is no cloud: it is held for hours, and expected to shine when that is over', async (t) => {
  const sun = (atMs: number): number => clearSky_W(atMs + QUARTER_MS / 2, BERLIN, ROOF) * 0.8;
  const expected: number[] = [];
  for (const heldQuarters of [0, 1, 6, 12]) {
    const series = {
      read: (point: string, _rollup: string, fromMs: number, untilMs: number) => {
        const rows: { atMs: number; value: number }[] = [];
        for (
          let atMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
          atMs < Math.min(untilMs, NOW);
          atMs += QUARTER_MS
        ) {
          const isHeld = atMs >= NOW - heldQuarters * QUARTER_MS;
          const given = isHeld ? Math.min(400, sun(atMs)) : sun(atMs);
          if (point === 'inverter/activePower') rows.push({ atMs, value: -given });
          if (point === 'grid/activePower') rows.push({ atMs, value: 400 - given });
          // Signals of hours ago are forgotten; what they said is kept.
          if (point === '_prices/exportPrice') rows.push({ atMs, value: isHeld ? -0.0002 : 0.00005 });
        }
        return rows;
      },
    };
    const gives_W = heldQuarters > 0 ? 400 : 4000;
    const house = home(gives_W, -gives_W, [FULL]);
    let sun_W = Number.NaN;
    const { planner } = await planned(house, {
      ...{ series: series as never, gridMeter: 'grid', place: BERLIN, roof: ROOF },
      make: async (task) => {
        const { planHouse } = await import('../../firmware/policy/planner/plan-house.ts');
        const { houseForecasts } = await import('../../firmware/policy/forecast/house.ts');
        sun_W = houseForecasts(task.known, task.horizon).solar.mean[4] ?? 0;
        return { ok: true, value: await planHouse(task, null) };
      },
    });
    expected.push(sun_W);
    t.equal(points(follow(house, planner)).inverter?.[0], -400, `held for ${heldQuarters / 4} h`);
  }
  const [free = 0, ...held] = expected;
  t.ok(free > 3000, `${free} W in an hour`);
  for (const x of held) t.ok(Math.abs(x - free) < 0.1 * free, `${x} W after being held`);
});
