/**
 * Batteries and heat pumps through the Modbus adapter: on real TCP, and on a simulated line where hours pass. Twins with
 * cells, tanks and timers of their own; and every way in which they lie, refuse or forget.
 */
import { test } from 'tap';
import { ModbusBus } from '../../firmware/adapters/devices/modbus-bus.ts';
import { ModbusDevice } from '../../firmware/adapters/devices/modbus-device.ts';
import type { Store } from '../../firmware/adapters/devices/store-watch.ts';
import { loadProfiles } from '../../firmware/adapters/profiles/load.ts';
import type { Profile } from '../../firmware/adapters/profiles/schema.ts';
import { batterySchema, batteryStoreOf, heatSchema, heatStoreOf } from '../../firmware/config/store.ts';
import type { Fault } from '../../firmware/domain/errors.ts';
import type { Flexibility } from '../../firmware/domain/flexibility.ts';
import type { Instruction, InstructionStatus } from '../../firmware/domain/instruction.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ResourceHealth } from '../../firmware/domain/resource-manager.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { BatteryTwin, registerBattery, storageBattery, sunspecBattery } from '../twins/battery.ts';
import { modbusTcp, ptyCarrier } from '../twins/carriers.ts';
import { HeatPumpTwin } from '../twins/heat-pump.ts';
import { type ModbusTwin, setLong, type Write } from '../twins/modbus-device.ts';
import { until } from '../twins/until.ts';

const profiles = loadProfiles();
const START = Date.UTC(2026, 5, 1, 10);
const BATTERY = batteryStoreOf(
  batterySchema.parse({ capacity_Wh: 10_000, charge_W: 4000, discharge_W: 3000, leastShare: 0.2 }),
);
const TANK = heatStoreOf(heatSchema.parse({ what: 'tank', litres: 300 }), 'heat-pump');

function profileOf(name: string, power?: { charge_W: number; discharge_W: number }): Profile {
  const found = profiles.get(name);
  if (!found) throw new Error(name);
  const { control } = found;
  return { ...found, control: control.kind === 'power' ? { ...control, ...power } : control };
}

let id = 0;
const instruction = (setPoint_W: number, abnormal = false): Instruction => ({
  id: ++id,
  resource: 'd',
  setPoint_W,
  issuedMs: 0,
  abnormal,
  reasons: [],
});

/** A device that is opened, and all that it says. */
function opened(profile: Profile, store: Store | undefined, bus: ModbusBus, clock: Clock, budget = 100_000) {
  let left = budget;
  const writes = { spend: () => left-- > 0, used: () => 0 };
  const device = new ModbusDevice({ id: 'd', name: 'D', unitId: 1, ...(store && { store }) }, profile, {
    bus,
    clock,
    writes,
  });
  const menus: Flexibility[] = [];
  const measured: Measurement[] = [];
  const health: ResourceHealth[] = [];
  const faults: string[] = [];
  const lost: Fault[] = [];
  const said = new Map<number, string>();
  device.open({
    measured: (m) => void measured.push(...m),
    flexibility: (menu) => void menus.push(menu),
    status: (i, status: InstructionStatus, reason) =>
      void said.set(i.id, reason ? `${status} ${reason.code}` : status),
    health: (h) => void health.push(h),
    fault: ({ code }) => void faults.push(code),
    lost: (reason) => void lost.push(reason),
  });
  const menu = (): Flexibility => menus.at(-1) as Flexibility;
  const range = (): readonly [number, number] => {
    const [first] = menu().ranges;
    return [first?.min_W ?? Number.NaN, first?.max_W ?? Number.NaN];
  };
  const last = (quantity: string): number | null | undefined =>
    measured.filter((m) => m.point.quantity === quantity).at(-1)?.value;
  return { device, menus, menu, range, measured, last, health, faults, lost, said };
}

/** On a simulated line; time passes only when it is told to. */
async function onLine(
  twinOf: (wallMs: () => number) => ModbusTwin,
  profile: Profile,
  store: Store | undefined,
  budget?: number,
) {
  const time = new SimulatedClock(START);
  const twin = twinOf(() => START + time.elapsedMs());
  const { link, twin: line } = simulatedLine(time, 'line', 1);
  let lateMs = 0;
  line.onBytes((bytes) => {
    for (const answer of twin.tcp(bytes)) time.after(lateMs, () => line.write(answer));
  });
  const bus = new ModbusBus(link, time, { framing: 'tcp', timeoutMs: 2000 });
  const it = opened(profile, store, bus, time, budget);
  const pass = (ms: number): Promise<void> => time.advanceTo(time.elapsedMs() + ms);
  await pass(3000);
  const outcome = async (i: Instruction, ms = 1500): Promise<string | undefined> => {
    it.device.instruct(i);
    await pass(ms);
    return it.said.get(i.id);
  };
  const answersLate = (ms: number): void => {
    lateMs = ms;
  };
  return { ...it, twin, line, pass, outcome, answersLate };
}

const HOUR = 3_600_000;
const battery = (fill = 0.5) => new BatteryTwin(10_000, 5000, fill, START);

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

const storedIn = ({ store }: Flexibility): number | null | undefined =>
  store?.kind === 'battery' ? store.fill : store?.temperature_C;

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

test('SunSpec 704: the sign is turned, the scale read, and the battery reverts to rest', async (t) => {
  let cells = battery();
  let at: (model: number, offset: number) => number = () => 0;
  const start = async (spoil: (twin: ModbusTwin) => void = () => {}) =>
    onLine(
      (wallMs) => {
        cells = battery();
        const sunspec = sunspecBattery(cells, wallMs);
        at = sunspec.at;
        spoil(cells.twin);
        return cells.twin;
      },
      profileOf('battery-sunspec', { charge_W: 4000, discharge_W: 3000 }),
      BATTERY,
    );
  const d = await start();
  const { holding } = d.twin.registers;
  t.match(d.menu(), { ranges: [{ min_W: -3000, max_W: 4000 }], failsafe_W: 0, store: { fill: 0.5 } });
  t.equal(await d.outcome(instruction(2500)), 'SUCCEEDED');
  t.same(
    [holding.get(at(704, 24)), holding.get(at(704, 25))],
    [0xffff, 65_536 - 2500],
    '-2500 W to the grid',
  );
  t.same(
    [23, 30, 32].map((offset) => holding.get(at(704, offset))),
    [1, 1, 60],
    'in watts; back to 0 W after 60 s',
  );
  await d.pass(1500);
  t.equal(d.last('activePower'), 2500);
  t.equal(await d.outcome(instruction(-1230)), 'SUCCEEDED');
  await d.pass(3 * 60_000);
  t.equal(d.last('activePower'), -1230, 'told again in time');
  d.line.silence(true);
  await d.pass(70_000);
  d.twin.refresh();
  t.equal(cells.wanted_W(), 0, 'reverted');
  d.line.silence(false);

  const coarse = await start(({ registers }) => void registers.holding.set(at(704, 55), 2));
  t.equal(await coarse.outcome(instruction(-1260)), 'SUCCEEDED');
  t.equal(cells.wanted_W(), -1200, 'in hundreds of watts, never more than told');

  for (let i = 0; i < 30; i++) {
    await coarse.outcome(instruction(-1250 - (i % 2) * 10));
    await coarse.pass(3500);
  }
  t.same(coarse.lost, [], 'what comes to the same is not written, and yet told again in time');

  const scaleless = await start(({ registers }) => void registers.holding.set(at(704, 55), 0x8000));
  t.equal(await scaleless.outcome(instruction(-1000)), 'ABORTED WRONG_ANSWER');
  const timerless = await start(({ refuses }) => void refuses.add(at(704, 31)));
  t.match(timerless.menu(), { failsafe_W: null }, 'one without a timer is not trusted to fall back');
  t.equal(await timerless.outcome(instruction(-1000)), 'SUCCEEDED');
  const fillless = await start(({ registers }) => void registers.holding.set(at(713, 8), 0x8000));
  t.same([fillless.range(), fillless.health.at(-1)], [[0, 4000], 'ok'], 'no scale of the fill');
});

test('SunSpec 124: both rates in one request, in percent of what the inverter says', async (t) => {
  const cells = battery();
  let at: (model: number, offset: number) => number = () => 0;
  const d = await onLine(
    (wallMs) => {
      const storage = storageBattery(cells, wallMs, 3000);
      at = storage.at;
      return cells.twin;
    },
    profileOf('battery-sunspec-124', { charge_W: 4000, discharge_W: 2000 }),
    BATTERY,
  );
  const { holding } = d.twin.registers;
  t.match(d.menu(), {
    ranges: [{ min_W: -2000, max_W: 3000 }],
    worstCase_W: 3000,
    failsafe_W: null,
    store: { fill: 0.5 },
  });
  for (const [power_W, out, into] of [
    [1500, 65_536 - 5000, 5000],
    [-600, 2000, 65_536 - 2000],
    [0, 0, 0],
  ] as const) {
    t.equal(await d.outcome(instruction(power_W)), 'SUCCEEDED');
    t.same(
      [12, 13, 5].map((offset) => holding.get(at(124, offset))),
      [out, into, 3],
    );
    t.equal(cells.wanted_W(), power_W);
    await d.pass(1500);
    t.equal(d.last('activePower'), power_W, 'it does not measure: taken as told');
  }
  t.equal(await d.outcome(instruction(-600)), 'SUCCEEDED');
  holding.set(at(124, 13), 10_000);
  await d.pass(1500);
  t.equal(d.lost.length, 1, 'half of it gone');
});

test('a heat pump: levels, its tank, and none above what the tank may have', async (t) => {
  let pump: HeatPumpTwin | undefined;
  const d = await onLine(
    (wallMs) => {
      pump = new HeatPumpTwin(300, 48, START, wallMs);
      return pump.twin;
    },
    profileOf('heat-pump-levels'),
    TANK,
  );
  if (!pump) throw new Error('no twin');
  const { holding } = pump.twin.registers;
  t.match(d.menu(), {
    controlType: 'OPERATION_MODE_BASED_CONTROL',
    kind: 'heat-pump',
    ranges: [0, 2000, 3000].map((power_W) => ({ min_W: power_W, max_W: power_W })),
    minOnMs: 600_000,
    worstCase_W: 3000,
    store: { kind: 'heat', what: 'tank', most_C: 60, capacity_WhPerK: 300 * 1.163, ambient_C: 18 },
  });
  t.ok(Math.abs((storedIn(d.menu()) ?? 0) - 48) < 0.2);
  t.ok((d.last('outdoorTemperature') ?? 0) > 5);
  for (const [power_W, level] of [
    [3000, 3],
    [2999, 2],
    [2000, 2],
    [1999, 1],
    [0, 1],
  ] as const) {
    t.equal(await d.outcome(instruction(power_W)), 'SUCCEEDED');
    t.equal(holding.get(3000), level, `${power_W} W`);
  }
  const before_C = pump.water_C;
  t.equal(await d.outcome(instruction(3000)), 'SUCCEEDED');
  await d.pass(HOUR / 2);
  t.ok(pump.water_C > before_C + 3, `${before_C} to ${pump.water_C} °C in half an hour of 3 kW`);
  pump.water_C = 60.5;
  await d.pass(2500);
  t.same(d.menu().ranges, [{ min_W: 0, max_W: 0 }], 'off alone');
  pump.water_C = 59;
  await d.pass(2500);
  t.equal(d.menu().ranges.length, 1, 'until it has cooled');
  pump.water_C = 57.5;
  await d.pass(2500);
  t.equal(d.menu().ranges.length, 3);
  pump.water_C = 600;
  await d.pass(2500);
  t.same(
    [storedIn(d.menu()), d.last('temperature'), d.menu().ranges.length],
    [null, null, 3],
    'no such water',
  );
});

test('an element behind a relay, with a sensor in its tank', async (t) => {
  const store = heatStoreOf(heatSchema.parse({ what: 'tank', litres: 120, most_C: 70 }), 'boiler');
  const cells = battery();
  const d = await onLine(() => cells.twin, profileOf('relay-heater-tank'), store);
  t.match(d.menu(), { store: { temperature_C: 0, cop: [{ outdoor_C: 0, cop: 1 }], most_C: 70 } });
  cells.twin.registers.input.set(1, 705);
  await d.pass(2500);
  t.same(d.menu().ranges, [{ min_W: 0, max_W: 0 }]);
});
