/**
 * Batteries and heat pumps through the Modbus adapter: on real TCP, and on a simulated line where hours pass. Twins with
 * cells, tanks and timers of their own; and every way in which they lie, refuse or forget.
 */
import { test } from 'tap';
import { ModbusBus } from '../../firmware/adapters/devices/modbus-bus.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { BatteryTwin, registerBattery } from '../twins/battery.ts';
import { modbusTcp, ptyCarrier } from '../twins/carriers.ts';
import { setLong, type Write } from '../twins/modbus-device.ts';
import { until } from '../twins/until.ts';
import { BATTERY, battery, HOUR, instruction, onLine, opened, profileOf, storedIn } from './store-bench.ts';

test('over TCP: a battery is charged, rests, gives, and says so', async (t) => {
  const clock = systemClock();
  const cells = new BatteryTwin(40, 5000, 0.5, Date.now());
  const { twin } = registerBattery(cells, Date.now);
  const written: Write[] = [];
  twin.onWrite = (w) => void written.push(w);
  const carrier = await modbusTcp(twin);
  const link = realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, clock);
  const bus = new ModbusBus(link, clock, { framing: 'tcp', timeoutMs: 300 });
  const profile = { ...profileOf('battery-register', { charge_W: 4000, discharge_W: 3000 }), pollMs: 200 };
  const d = opened(profile, { ...BATTERY, capacity_Wh: 40 }, bus, clock);
  await until('it answers', () => d.health.includes('ok') && d.last('stateOfCharge') === 50);
  t.match(d.menus[0], { ranges: [{ min_W: 0, max_W: 4000 }], store: { fill: null } }, 'before it was read');
  t.match(d.menu(), {
    controlType: 'FILL_RATE_BASED_CONTROL',
    kind: 'battery',
    ranges: [{ min_W: -3000, max_W: 4000 }],
    step_W: 10,
    worstCase_W: 4000,
    failsafe_W: 0,
    store: { kind: 'battery', fill: 0.5, capacity_Wh: 40, leastFill: 0.2, mostFill: 1 },
  });
  const carryOut = async (power_W: number): Promise<string | undefined> => {
    const i = instruction(power_W);
    d.device.instruct(i);
    await until('it is done', () => /SUCCEEDED|ABORTED|REJECTED/.test(d.said.get(i.id) ?? ''));
    return d.said.get(i.id);
  };
  t.equal(await carryOut(4000), 'SUCCEEDED');
  t.same(
    written.map(({ address, value }) => [address, value]),
    [
      [2003, 60],
      [2001, 0],
      [2002, 4000],
      [2000, 1],
    ],
    'its timer once, both words of the set-point, then in force',
  );
  await until('it says what it takes', () => d.last('activePower') === 4000);
  await until('it fills', () => (d.last('stateOfCharge') ?? 0) > 52);
  t.equal(await carryOut(-2500), 'SUCCEEDED');
  await until('it gives', () => d.last('activePower') === -2500);
  t.equal(await carryOut(0), 'SUCCEEDED');
  await until('it rests', () => d.last('activePower') === 0);
  t.equal(written.filter(({ address }) => address === 2003).length, 1, 'the timer stands already');

  for (const [misbehaves, outcome] of [
    ['exception', 'ABORTED DEVICE_EXCEPTION'],
    ['silent', 'ABORTED TIMEOUT'],
    ['ignoresWrites', 'ABORTED READBACK_DIFFERS'],
  ] as const) {
    twin.misbehaves = misbehaves;
    t.equal(await carryOut(misbehaves === 'silent' ? 500 : 1000), outcome, misbehaves);
  }
  twin.misbehaves = 'none';
  t.equal(await carryOut(-1000), 'SUCCEEDED', 'it recovers');
  carrier.reset();
  await until('its fill is unknown while it is away', () =>
    d.menus.some((m, i) => i > 3 && storedIn(m) === null),
  );
  await until('and known again', () => storedIn(d.menu()) !== null);
  await d.device.close();
  await carrier.close();
});

test('full and at its reserve: what the menu leaves, without flapping', async (t) => {
  const cells = battery(0.9);
  const d = await onLine(
    (wallMs) => registerBattery(cells, wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
  );
  t.equal(await d.outcome(instruction(4000)), 'SUCCEEDED');
  await d.pass(HOUR);
  t.same([cells.fill, d.range()[1]], [1, 0], 'full: no charging');
  t.ok(d.menus.length < 40, `${d.menus.length} menus while it filled by a tenth`);
  for (const [fill, range, what] of [
    [0.985, [-5000, 0], 'a little less than full'],
    [0.97, [-5000, 5000], 'far enough from full'],
    [0.2, [0, 5000], 'at the reserve: no discharging'],
    [0.215, [0, 5000], 'a little above'],
    [0.23, [-5000, 5000], 'far enough above'],
    [0.05, [0, 5000], 'below it'],
    [1, [-5000, 0], 'full at once'],
  ] as const) {
    cells.fill = fill;
    await d.pass(1500);
    t.same(d.range(), range, what);
  }
  const before = d.menus.length;
  for (let i = 0; i < 20; i++) {
    cells.fill = i % 2 ? 0.5 : 0.501;
    await d.pass(1500);
  }
  t.equal(d.menus.length, before + 1, 'a flicker is no news');
});

test('what cannot be is unknown: no discharging, and never 0', async (t) => {
  const cells = battery();
  const d = await onLine(
    (wallMs) => registerBattery(cells, wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
  );
  t.same(d.range(), [-5000, 5000]);
  const refresh = d.twin.refresh;
  for (const raw of [1400, 0xffff, 60_000]) {
    d.twin.refresh = () => {
      refresh();
      d.twin.registers.input.set(2102, raw);
    };
    await d.pass(1500);
    t.same([d.range(), storedIn(d.menu()), d.last('stateOfCharge')], [[0, 5000], null, null], `${raw}`);
    t.equal(d.last('activePower'), 0, 'its power is still known');
    d.twin.refresh = refresh;
    await d.pass(1500);
    t.equal(storedIn(d.menu()), 0.5);
  }
  d.twin.refuses.add(2102);
  await d.pass(1500);
  t.same([storedIn(d.menu()), d.health.at(-1)], [null, 'ok'], 'one that has no such register');
  d.twin.refuses.clear();
  d.twin.refresh = () => {
    refresh();
    d.twin.registers.input.set(2102, 1010);
  };
  await d.pass(1500);
  t.equal(storedIn(d.menu()), 1, 'a little more than full is full');
});

test('a power that no device of a home has is none', async (t) => {
  const cells = battery();
  const d = await onLine(
    (wallMs) => registerBattery(cells, wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
  );
  t.equal(d.last('activePower'), 0);
  const refresh = d.twin.refresh;
  for (const power_W of [70_000_000, -70_000_000, -0x80000000]) {
    d.twin.refresh = () => {
      refresh();
      setLong(d.twin.registers.input, 2100, power_W);
    };
    await d.pass(1500);
    t.equal(d.last('activePower'), null, `${power_W} W`);
  }
  t.equal(d.health.at(-1), 'ok');
});

test('over a serial line: both words in one request', async (t) => {
  const clock = systemClock();
  const cells = new BatteryTwin(10_000, 5000, 0.5, Date.now());
  const { twin } = registerBattery(cells, Date.now);
  const line = await ptyCarrier();
  line.onBytes((chunk) => {
    const reply = twin.rtu(Buffer.from(chunk));
    if (reply) line.write(reply);
  });
  const serial = {
    kind: 'serial',
    path: line.path,
    baudRate: 9600,
    dataBits: 8,
    parity: 'none',
    stopBits: 1,
  } as const;
  const bus = new ModbusBus(realLink(serial, clock), clock, { framing: 'rtu', timeoutMs: 500 });
  const d = opened(profileOf('battery-register'), BATTERY, bus, clock);
  await until('it answers', () => d.health.includes('ok'));
  const i = instruction(-1500);
  d.device.instruct(i);
  await until('it is done', () => /SUCCEEDED|ABORTED/.test(d.said.get(i.id) ?? ''));
  t.same([d.said.get(i.id), cells.wanted_W()], ['SUCCEEDED', -1500]);
  await d.device.close();
  await line.close();
});

test('floats that are no numbers', async (t) => {
  const found = profileOf('battery-register');
  const fill = { table: 'input', address: 2110, type: 'f32', scale: 1 } as const;
  const cells = battery();
  const d = await onLine((wallMs) => registerBattery(cells, wallMs).twin, { ...found, fill }, BATTERY);
  for (const [value, share] of [
    [Number.NaN, null],
    [55.5, 0.555],
    [Number.POSITIVE_INFINITY, null],
    [-5, null],
    [80, 0.8],
  ] as const) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatBE(value);
    d.twin.registers.input.set(2110, bytes.readUInt16BE(0)).set(2111, bytes.readUInt16BE(2));
    await d.pass(1500);
    t.equal(storedIn(d.menu()), share, `${value}`);
  }
});

test('it falls back by itself when we are gone, and not while we are there', async (t) => {
  const cells = battery();
  const d = await onLine(
    (wallMs) => registerBattery(cells, wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
  );
  t.equal(await d.outcome(instruction(-3000)), 'SUCCEEDED');
  await d.pass(5 * 60_000);
  t.equal(d.last('activePower'), -3000, 'told again in time');
  t.same(d.lost, []);
  d.line.drop();
  await d.pass(61_000);
  d.twin.refresh();
  t.equal(cells.wanted_W(), 0, 'its own timer');
  t.equal(d.health.at(-1), 'silent');
  d.line.restore();
  await d.pass(60_000);
  t.equal(d.health.at(-1), 'ok');
  t.equal(await d.outcome(instruction(-3000)), 'SUCCEEDED', 'the same again is written again');
  t.equal(cells.wanted_W(), -3000);
});

test('restarted between two polls, or somebody else wrote: noticed in either word, and prepared anew', async (t) => {
  const cells = battery();
  const d = await onLine(
    (wallMs) => registerBattery(cells, wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
  );
  const { holding } = d.twin.registers;
  for (const [spoil, what] of [
    [() => setLong(holding, 2001, 70_000), 'the high word'],
    [() => holding.set(2002, 1), 'the low word'],
    [() => holding.set(2000, 0), 'not in force'],
    [() => holding.clear(), 'all forgotten'],
  ] as const) {
    t.equal(await d.outcome(instruction(3000)), 'SUCCEEDED');
    const before = d.lost.length;
    spoil();
    await d.pass(1500);
    t.equal(d.lost.length, before + 1, what);
    t.equal(d.lost.at(-1)?.code, 'SET_POINT_LOST');
  }
  t.equal(await d.outcome(instruction(3000)), 'SUCCEEDED');
  t.same([holding.get(2003), cells.wanted_W()], [60, 3000]);
});

test('late answers, and a budget that is spent: what a limit wants is done all the same', async (t) => {
  const cells = battery();
  const d = await onLine(
    (wallMs) => registerBattery(cells, wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
    1,
  );
  t.equal(await d.outcome(instruction(2000)), 'SUCCEEDED');
  t.equal(await d.outcome(instruction(1000)), 'ABORTED WRITE_BUDGET_SPENT');
  t.equal(await d.outcome(instruction(3000, true)), 'ABORTED WRITE_BUDGET_SPENT', 'no limit wants more');
  t.equal(await d.outcome(instruction(-500, true)), 'SUCCEEDED', 'no longer charged');
  t.equal(await d.outcome(instruction(0, true)), 'SUCCEEDED', 'no longer giving');
  d.answersLate(2500);
  t.equal(await d.outcome(instruction(-500, true), 20_000), 'ABORTED WRITE_BUDGET_SPENT');
  const late = await onLine(
    (wallMs) => registerBattery(battery(), wallMs).twin,
    profileOf('battery-register'),
    BATTERY,
  );
  late.answersLate(2500);
  t.equal(await late.outcome(instruction(-500, true), 20_000), 'ABORTED TIMEOUT');
  t.equal(storedIn(late.menu()), null, 'silent: what it holds is not known');
  late.answersLate(0);
  await late.pass(3000);
  t.equal(
    await late.outcome(instruction(-600, true)),
    'SUCCEEDED',
    'late answers are not taken for new ones',
  );
});
