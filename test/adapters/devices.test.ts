/** The Modbus adapter on real TCP and on a serial line with RTU, against twins that speak the bytes and misbehave. */
import { test } from 'tap';
import { ModbusBus } from '../../firmware/adapters/devices/modbus-bus.ts';
import { ModbusDevice } from '../../firmware/adapters/devices/modbus-device.ts';
import { loadProfiles } from '../../firmware/adapters/profiles/load.ts';
import type { Fault } from '../../firmware/domain/errors.ts';
import type { Instruction, InstructionStatus } from '../../firmware/domain/instruction.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ResourceHealth } from '../../firmware/domain/resource-manager.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { modbusTcp, ptyCarrier } from '../twins/carriers.ts';
import { ModbusTwin, setLong, type Write } from '../twins/modbus-device.ts';
import { type SunSpecInverter, setProduction, sunspecInverter } from '../twins/sunspec.ts';
import { instruction } from './store-bench.ts';

const clock = systemClock();
const profiles = loadProfiles();
/** Opens a device and records what it says. */
function watch(device: ModbusDevice) {
  const said: { status: InstructionStatus; code: string | null; id: number }[] = [];
  const health: ResourceHealth[] = [];
  const measured: Measurement[] = [];
  /** How much had been measured each time that it was said to be well. */
  const knownWhenOk: number[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const w of waiting.splice(0)) w();
  };
  device.open({
    measured: (m) => {
      measured.push(...m);
      wake();
    },
    flexibility: () => {},
    status: (i, status, reason) => {
      said.push({ status, code: reason?.code ?? null, id: i.id });
      wake();
    },
    health: (h) => {
      health.push(h);
      if (h === 'ok') knownWhenOk.push(measured.length);
      wake();
    },
    fault: () => {},
  });
  const until = async (done: () => boolean): Promise<void> => {
    const end = performance.now() + 15_000;
    while (!done()) {
      if (performance.now() > end) throw new Error(`still waiting: ${JSON.stringify({ said, health })}`);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        setTimeout(resolve, 200);
      });
    }
  };
  const carryOut = async (i: Instruction): Promise<string[]> => {
    device.instruct(i);
    await until(() =>
      said.some((s) => s.id === i.id && ['SUCCEEDED', 'ABORTED', 'REJECTED', 'REVOKED'].includes(s.status)),
    );
    return said.filter((s) => s.id === i.id).map((s) => (s.code ? `${s.status} ${s.code}` : s.status));
  };
  return { said, health, measured, knownWhenOk, until, carryOut };
}

const budget = (left: number) => ({ spend: () => left-- > 0, used: () => 0 });
const profile = (name: string) => {
  const found = profiles.get(name);
  if (!found) throw new Error(name);
  return { ...found, pollMs: 200 };
};

test('over TCP: written, read back, and every way to fail told apart', async (t) => {
  const twin = new ModbusTwin();
  const writes: Write[] = [];
  twin.onWrite = (w) => void writes.push(w);
  const carrier = await modbusTcp(twin);
  const bus = new ModbusBus(realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, clock), clock, {
    framing: 'tcp',
    timeoutMs: 150,
  });
  const device = new ModbusDevice({ id: 'd', name: 'D', unitId: 1 }, profile('wallbox-current'), {
    bus,
    clock,
    writes: budget(100),
  });
  const w = watch(device);
  await w.until(() => w.health.includes('ok'));
  t.ok((w.knownWhenOk[0] ?? 0) > 0, 'what it draws is known before it is told anything');

  t.same(await w.carryOut(instruction(6900)), ['ACCEPTED', 'STARTED', 'SUCCEEDED']);
  t.equal(twin.registers.holding.get(1000), 100, '10 A on three phases');
  const before = writes.length;
  t.same(await w.carryOut(instruction(6900)), ['ACCEPTED', 'STARTED', 'SUCCEEDED']);
  t.equal(writes.length, before, 'what is there already is not written again');
  t.same(await w.carryOut(instruction(Number.NaN)), ['REJECTED INSTRUCTION_REJECTED']);

  for (const [misbehaves, outcome] of [
    ['exception', 'ABORTED DEVICE_EXCEPTION'],
    ['silent', 'ABORTED TIMEOUT'],
    ['wrongTransaction', 'ABORTED TIMEOUT'],
    ['ignoresWrites', 'ABORTED READBACK_DIFFERS'],
  ] as const) {
    twin.misbehaves = misbehaves;
    const result = await w.carryOut(instruction(misbehaves === 'ignoresWrites' ? 0 : 8280));
    t.equal(result.at(-1), outcome, misbehaves);
  }
  twin.misbehaves = 'none';
  t.equal((await w.carryOut(instruction(0))).at(-1), 'SUCCEEDED', 'it recovers');

  carrier.reset();
  await w.until(() => w.health.at(-1) === 'silent');
  await w.until(() => w.health.at(-1) === 'ok');
  t.equal((await w.carryOut(instruction(4140))).at(-1), 'SUCCEEDED', 'after the connection was lost');
  t.ok(w.measured.some((m) => m.point.quantity === 'activePower'));
  await device.close();
  await carrier.close();
});

test('a later instruction replaces one that waits; the write budget spares the memory, not the grid', async (t) => {
  const twin = new ModbusTwin();
  const carrier = await modbusTcp(twin);
  const bus = new ModbusBus(realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, clock), clock, {
    framing: 'tcp',
    timeoutMs: 300,
  });
  const device = new ModbusDevice({ id: 'd', name: 'D', unitId: 1 }, profile('wallbox-current'), {
    bus,
    clock,
    writes: budget(2),
  });
  const w = watch(device);
  await w.until(() => w.health.includes('ok'));
  const [first, second, third] = [instruction(4140), instruction(6900), instruction(11_040)];
  for (const i of [first, second, third]) device.instruct(i);
  await w.until(() => w.said.some((s) => s.id === third.id && s.status === 'SUCCEEDED'));
  t.ok(w.said.some((s) => s.id === second.id && s.status === 'REVOKED'));
  t.equal(twin.registers.holding.get(1000), 160);
  t.equal((await w.carryOut(instruction(6900))).at(-1), 'ABORTED WRITE_BUDGET_SPENT');
  t.equal((await w.carryOut(instruction(4140, true))).at(-1), 'SUCCEEDED', 'a limit is obeyed all the same');
  await device.close();
  await carrier.close();
});

test('RTU over a serial line: an answer that comes too late is not taken for the next one', async (t) => {
  const twin = new ModbusTwin();
  twin.registers.input.set(0, 1500);
  const line = await ptyCarrier();
  let delayMs = 0;
  line.onBytes((chunk) => {
    const reply = twin.rtu(Buffer.from(chunk));
    if (reply) setTimeout(() => line.write(reply), delayMs);
  });
  const link = realLink(
    { kind: 'serial', path: line.path, baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 },
    clock,
  );
  const bus = new ModbusBus(link, clock, { framing: 'rtu', timeoutMs: 200 });
  bus.attach(() => {});
  while (!bus.isOpen) await new Promise((resolve) => setTimeout(resolve, 20));
  twin.registers.input.set(7, 111);
  twin.registers.input.set(8, 333);
  const read = (address: number) =>
    bus.request(1, 'poll', async (c) => (await c.readInputRegisters(address, 1)).data[0]);
  t.equal(await read(7), 111);
  delayMs = 300;
  await t.rejects(read(7), { code: 'TIMEOUT' });
  delayMs = 0;
  t.equal(await read(8), 333, 'not the late 111');
  twin.misbehaves = 'garbled';
  await t.rejects(read(8), { code: 'TIMEOUT' });
  await bus.detach();
  await line.close();
});

test('a request leaves nothing behind in the library', async (t) => {
  const simulated = new SimulatedClock(0);
  const { link, twin } = simulatedLine(simulated, 'line', 1);
  const device = new ModbusTwin();
  twin.onBytes((bytes) => {
    for (const answer of device.tcp(bytes)) twin.write(answer);
  });
  const bus = new ModbusBus(link, simulated, { framing: 'tcp', timeoutMs: 2000 });
  bus.attach(() => {});
  await simulated.advanceTo(10);
  for (let i = 1; i <= 50; i++) {
    device.misbehaves = i % 10 === 0 ? 'silent' : i % 7 === 0 ? 'exception' : 'none';
    const read = bus.request(1, 'poll', (client) => client.readInputRegisters(100, 2)).catch(() => null);
    await simulated.advanceTo(simulated.elapsedMs() + 2100);
    await read;
  }
  t.equal(device.answered, 45);
  t.equal(bus.transactions, 0);
});

test('SunSpec: models are found where they are, values scaled, and a limit is enabled', async (t) => {
  for (const base of [40_000, 50_000]) {
    const inverter = sunspecInverter(new ModbusTwin(), base);
    const { twin, at } = inverter;
    setProduction(inverter, 4200, 8_123_000);
    const writes: Write[] = [];
    twin.onWrite = (w) => void writes.push(w);
    const w = await simulated(twin, 'inverter-sunspec');
    t.same(
      w.measured.slice(-2).map((m) => m.value),
      [-4200, 8_123_000],
    );
    t.equal(await w.outcome(instruction(-1500, true)), 'SUCCEEDED');
    t.same(
      writes.map(({ address, value }) => [address, value]),
      [
        [at(123, 5), 3000],
        [at(123, 9), 1],
      ],
    );
    t.equal(inverter.share(), 0.3, '30 % of 5 kW');
    t.equal(await w.outcome(instruction(-1540, true)), 'SUCCEEDED');
    t.equal(writes.length, 2, 'less than a step more is no write');

    twin.registers.holding.set(at(123, 9), 0);
    await w.pass(2500);
    t.equal(w.lost.length, 1, 'a limit that is no longer enabled is noticed');
    t.equal(await w.outcome(instruction(-1500, true)), 'SUCCEEDED');
    t.equal(inverter.share(), 0.3, 'and in force again');

    twin.registers.holding.set(at(123, 23), 0);
    w.line.drop();
    await w.pass(1000);
    w.line.restore();
    await w.pass(10_000);
    t.equal(await w.outcome(instruction(-1500, true)), 'SUCCEEDED');
    t.equal(twin.registers.holding.get(at(123, 5)), 30, 'another scale, after it was away');
  }
});

test('SunSpec: what is missing or has no end is said, and nothing is written', async (t) => {
  const faults: Record<string, (inverter: SunSpecInverter) => void> = {
    'no mark': ({ twin }) => void twin.registers.holding.set(40_000, 0),
    'no controls': ({ twin, at }) => void twin.registers.holding.set(at(123, 0), 124),
    'a chain without an end': ({ twin, at }) => void twin.registers.holding.set(at(123, 1), 65_000),
    'models of no length': ({ twin }) => {
      twin.registers.holding.clear();
      setLong(twin.registers.holding, 40_000, 0x53756e53);
    },
    'no scale': ({ twin, at }) => void twin.registers.holding.set(at(123, 23), 0x8000),
  };
  for (const [name, spoil] of Object.entries(faults)) {
    const inverter = sunspecInverter(new ModbusTwin());
    const writes: Write[] = [];
    inverter.twin.onWrite = (w) => void writes.push(w);
    spoil(inverter);
    const w = await simulated(inverter.twin, 'inverter-sunspec');
    t.equal(await w.outcome(instruction(-1500, true)), 'ABORTED', name);
    await w.pass(10_000);
    t.same([w.health.at(-1), writes], ['faulty', []], name);
  }
});

/** A device on a simulated line; time passes only when it is told to. */
async function simulated(twin: ModbusTwin, name: string) {
  const time = new SimulatedClock(Date.UTC(2026, 5, 1));
  const { link, twin: line } = simulatedLine(time, 'line', 1);
  line.onBytes((bytes) => {
    for (const answer of twin.tcp(bytes)) line.write(answer);
  });
  const bus = new ModbusBus(link, time, { framing: 'tcp', timeoutMs: 2000 });
  const found = profiles.get(name);
  if (!found) throw new Error(name);
  const writes = budget(1000);
  const device = new ModbusDevice({ id: 'd', name: 'D', unitId: 1 }, found, { bus, clock: time, writes });
  const measured: Measurement[] = [];
  const health: ResourceHealth[] = [];
  const lost: Fault[] = [];
  const said = new Map<number, InstructionStatus>();
  device.open({
    measured: (m) => void measured.push(...m),
    flexibility: () => {},
    status: (i, status) => void said.set(i.id, status),
    health: (h) => void health.push(h),
    fault: () => {},
    lost: (reason) => void lost.push(reason),
  });
  const pass = (ms: number): Promise<void> => time.advanceTo(time.elapsedMs() + ms);
  await pass(3000);
  const outcome = async (i: Instruction): Promise<InstructionStatus | undefined> => {
    device.instruct(i);
    await pass(1500);
    return said.get(i.id);
  };
  return { line, measured, health, lost, pass, outcome };
}

test('profiles: the folder is sound', async (t) => {
  t.ok(profiles.size >= 3);
});
