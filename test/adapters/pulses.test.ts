/** Meters that are counted: on simulated time, and on gpiomon's text, a control line and a real serial line. */
import { SerialPortMock } from 'serialport';
import { test } from 'tap';
import { PulseMeter, type PulseOptions } from '../../firmware/adapters/meters/pulses/pulse-meter.ts';
import { readKept } from '../../firmware/adapters/meters/pulses/register.ts';
import { checkConfig } from '../../firmware/config/check.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { MeterEvent } from '../../firmware/domain/meter-event.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { gpioLink, readEdge } from '../../firmware/hal/links/gpio.ts';
import { pulseLine } from '../../firmware/hal/links/pulse-line.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { ptyCarrier } from '../twins/carriers.ts';
import { gpiomonTwin } from '../twins/gpiomon.ts';

const START = Date.UTC(2026, 0, 15, 12);
const ON = Uint8Array.of(1);
const OFF = Uint8Array.of(0);

function memory() {
  const kept = new Map<string, string>();
  return {
    get: (name: string) => kept.get(name) ?? null,
    set: (name: string, v: string) => void kept.set(name, v),
  };
}

/** A meter whose consumption is told by the test: it sends pulses of 50 ms. */
function bench(options: Partial<PulseOptions> = {}, clock = new SimulatedClock(START)) {
  const { link, twin } = simulatedLine(clock, 'S0', 0);
  const meter = new PulseMeter(
    { id: 'm', quantity: 'activeEnergyImport', constant: 1000, debounceMs: 15, ...options },
    link,
    clock,
  );
  const seen = { measured: [] as Measurement[], events: [] as MeterEvent[], faults: [] as string[] };
  meter.open({
    measured: (m) => void seen.measured.push(...m),
    noted: (e) => void seen.events.push(e),
    flexibility: () => {},
    status: () => {},
    health: () => {},
    fault: (f) => void seen.faults.push(f.code),
  });
  const pulses = async (count: number, everyMs: number): Promise<void> => {
    const from = clock.elapsedMs();
    for (let i = 1; i <= count; i++) {
      await clock.advanceTo(from + i * everyMs - 50);
      twin.write(ON);
      await clock.advanceTo(from + i * everyMs);
      twin.write(OFF);
    }
    await clock.advanceTo(clock.elapsedMs() + 1100);
  };
  const last = (quantity: string) => seen.measured.findLast((m) => m.point.quantity === quantity);
  const register = () => last('activeEnergyImport')?.value;
  const codes = () => seen.events.map((e) => e.code);
  return { clock, twin, meter, seen, pulses, last, register, codes };
}

test('pulses become register and power, and without pulses the power falls', async (t) => {
  const b = bench();
  await b.clock.advanceTo(100);
  await b.pulses(20, 1800);
  t.equal(b.register(), 20);
  t.equal(b.last('activePowerImport')?.value, 2000);
  t.equal(b.last('activePowerImport')?.quality, 'good');
  await b.clock.advanceTo(b.clock.elapsedMs() + 60_000);
  const quiet = b.last('activePowerImport');
  t.equal(quiet?.quality, 'estimated');
  t.ok((quiet?.value ?? 99) < 75, 'one pulse a minute would be 60 W');
  t.equal(b.register(), 20);
  await b.meter.close();
});

test('volume and heat count in their own units; a fast meter is measured over many pulses', async (t) => {
  const water = bench({ quantity: 'volume', constant: 100 });
  await water.clock.advanceTo(100);
  await water.pulses(5, 10_000);
  t.equal(water.last('volume')?.value, 0.05);
  t.equal(water.last('volumeFlow')?.value, 3.6);
  const fast = bench({ constant: 10_000, debounceMs: 10 });
  await fast.clock.advanceTo(100);
  await fast.pulses(100, 90);
  t.equal(fast.register(), 10);
  t.equal(fast.last('activePowerImport')?.value, 4000);
});

test('bouncing contacts and spikes are no pulses; a lost edge costs one pulse at the most', async (t) => {
  const b = bench();
  const at = async (ms: number, level: Uint8Array): Promise<void> => {
    await b.clock.advanceTo(ms);
    b.twin.write(level);
  };
  for (const [ms, level] of [
    [1000, ON],
    [1002, OFF],
    [1004, ON],
    [1300, OFF],
    [1303, ON],
    [1305, OFF],
    [2000, ON],
    [2003, OFF],
    [3000, ON],
    [3100, ON],
    [3200, OFF],
  ] as const)
    await at(ms, level);
  await b.clock.advanceTo(10_000);
  t.equal(b.register(), 2);
  // A reed contact that stays closed is counted at once, not when it opens.
  await at(11_000, ON);
  await b.clock.advanceTo(13_000);
  t.equal(b.register(), 3);
});

test('an input that chatters is refused, and said so once a second', async (t) => {
  const b = bench({ debounceMs: 0 });
  await b.clock.advanceTo(100);
  for (let i = 0; i < 500; i++) b.twin.write(Uint8Array.of(1, 0));
  await b.clock.advanceTo(3000);
  t.same(b.seen.faults, ['BAD_VALUE']);
  t.ok((b.register() ?? 999) <= 200, 'no more than the bound lets through');
});

test('a power cut loses ten seconds at the most; a line that is cut is watched again', async (t) => {
  const settings = memory();
  const b = bench({ settings });
  await b.clock.advanceTo(100);
  await b.pulses(30, 1000);
  // The board goes dark: nothing is closed or saved.
  const after = bench({ settings });
  await after.clock.advanceTo(100);
  await after.pulses(1, 1000);
  const register = after.register() ?? 0;
  t.ok(register > 20 && register <= 31, `${register}`);
  after.twin.drop();
  await after.clock.advanceTo(after.clock.elapsedMs() + 500);
  after.twin.restore();
  await after.clock.advanceTo(after.clock.elapsedMs() + 5000);
  await after.pulses(1, 1000);
  t.equal(after.register(), register + 1);
  t.same(after.seen.faults, ['LINK_GONE']);
  await after.meter.close();
  t.equal(readKept(settings.get('pulses/m'))?.pulses, register + 1);
});

test('what was kept and cannot be read is said, not taken for nothing', async (t) => {
  const settings = memory();
  t.same(bench({ settings }).seen.faults, [], 'a new meter');
  const kept = settings.get('pulses/m') ?? '';
  for (const text of ['{', 'null', '{"pulses":"many"}', kept.replace('"constant":1000', '"constant":0')]) {
    settings.set('pulses/m', text);
    t.same(bench({ settings }).seen.faults, ['BAD_VALUE'], text);
  }
  settings.set('pulses/m', kept);
  t.same(bench({ settings }).seen.faults, []);
});

test('a reading of the display is taken once, and finds a constant that is not what it is said to be', async (t) => {
  const settings = memory();
  const read = (value: number, hour: number) => ({ value, atMs: START + hour * 3_600_000 });
  const first = bench({ settings, reading: read(12_345.6, 0) });
  await first.clock.advanceTo(100);
  t.same(first.codes(), [], 'the first reading has nothing to be compared with');
  await first.pulses(2000, 1000);
  t.equal(first.register(), 12_347_600);
  await first.meter.close();
  // 2000 pulses and two kWh: it fits, though some were lost while nobody watched.
  const fits = bench({ settings, reading: read(12_347.6, 1) });
  t.same(fits.codes(), []);
  await fits.clock.advanceTo(100);
  await fits.pulses(4000, 200);
  await fits.meter.close();
  // The restart may have missed pulses; more pulses than the register cannot be explained by that.
  const wrong = bench({ settings, reading: read(12_349.6, 2) });
  t.same(wrong.codes(), ['CONSTANT_CHANGED']);
  t.equal(wrong.seen.events[0]?.detail.measured, 2000);
  await wrong.clock.advanceTo(100);
  await wrong.pulses(2, 1000);
  t.equal(wrong.register(), 12_349_602);
  t.equal(
    wrong.last('activeEnergyImport')?.quality,
    'doubtful',
    'shown as doubtful until somebody sets it right',
  );
  await wrong.meter.close();
  const again = bench({ settings, reading: read(12_349.6, 2) });
  t.same(again.codes(), [], 'taken once');
  await again.meter.close();
  // The constant is corrected: what was counted stays, the new one holds from here on.
  const right = bench({ settings, constant: 2000, reading: read(12_349.6, 2) });
  t.same(right.codes(), ['CONSTANT_CHANGED']);
  t.same(right.seen.events[0]?.detail, { before: 1000, now: 2000 });
  await right.clock.advanceTo(100);
  await right.pulses(2, 1000);
  t.equal(right.register(), 12_349_603);
  t.equal(right.last('activeEnergyImport')?.quality, 'good');
  await right.meter.close();
});

test('beside a port that shows the register: lost pulses, a changed constant, another meter', async (t) => {
  const clock = new SimulatedClock(START);
  let say: (measurements: readonly Measurement[]) => void = () => {};
  const b = bench({ register: (listener) => (say = listener) }, clock);
  const register = (value: number): void =>
    say([
      {
        point: { source: 'main', quantity: 'activeEnergyImport', phase: 0, tariff: 0, channel: 0 },
        value,
        quality: 'good',
        meterTimeMs: null,
        receivedMs: clock.wallMs(),
        receivedElapsedMs: clock.elapsedMs(),
      },
    ]);
  await clock.advanceTo(100);
  register(50_000);
  register(50_001);
  for (let i = 1; i <= 100; i++) {
    await b.pulses(1, 1000);
    register(50_000 + i);
  }
  t.equal(b.register(), 50_100);
  t.same(b.codes(), [], 'both agree');
  b.twin.drop();
  await clock.advanceTo(clock.elapsedMs() + 1000);
  b.twin.restore();
  register(50_400);
  t.same(b.codes(), ['PULSES_LOST']);
  await clock.advanceTo(clock.elapsedMs() + 5000);
  await b.pulses(1, 1000);
  t.equal(b.register(), 50_401, 'the register goes on from where the meter is');
  await b.pulses(60, 1000);
  register(50_530);
  t.same(b.codes(), ['PULSES_LOST', 'CONSTANT_CHANGED']);
  t.equal(b.seen.events[1]?.detail.measured, 469);
  register(3);
  t.equal(b.codes().at(-1), 'METER_REPLACED');
});

const clock = systemClock();
const settle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, done: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!done()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await settle(5);
  }
}

function listener() {
  const edges: [number, number][] = [];
  const gone: (string | null)[] = [];
  return {
    edges,
    gone,
    events: {
      bytes: (chunk: Uint8Array, atMs: number) => void edges.push([chunk[0] ?? -1, atMs]),
      gone: (reason: { code: string } | null) => void gone.push(reason?.code ?? null),
    },
  };
}

test('gpiomon of both versions: edges with the kernel’s times, garbage, its end', async (t) => {
  const spec = { kind: 'gpio', chip: 'gpiochip0', line: 17, activeLow: true, bias: 'pull-up' } as const;
  for (const version of [1, 2] as const) {
    const twin = gpiomonTwin(version);
    const link = gpioLink(spec, clock, twin.command);
    const { edges, gone, events } = listener();
    await link.open(events);
    t.equal(
      twin.options(),
      version === 1
        ? '--line-buffered --format=%e %s %n --active-low --bias=pull-up gpiochip0 17'
        : '--format=%e %S --active-low --bias=pull-up --chip=gpiochip0 17',
    );
    twin.print('x'.repeat(100_000));
    twin.print('\nMonitoring line 17...\n1 4711\n');
    twin.edge(true, 4_711_000.005);
    await settle(40);
    twin.edge(false, 4_711_031.5);
    await until('two edges', () => edges.length === 2);
    t.same(
      edges.map(([level]) => level),
      [1, 0],
    );
    const width = (edges[1]?.[1] ?? 0) - (edges[0]?.[1] ?? 0);
    t.ok(width > 15 && width < 33, `31.495 ms by the kernel's clock: ${width}`);
    twin.end();
    await until('gone', () => gone.length === 1);
    t.same(gone, ['LINK_GONE']);
    twin.remove();
  }
  t.same(readEdge('0 4711 5000'), { level: 0, kernelMs: 4_711_000.005 });
  t.same(readEdge('2 4711.000005000'), { level: 0, kernelMs: 4_711_000.005 });
  t.equal(readEdge('3 4711 5000'), null);
});

test('gpiomon that is missing, refused or taken is said so; closed by us it leaves nothing behind', async (t) => {
  const spec = { kind: 'gpio', chip: 'gpiochip0', line: 17, activeLow: false, bias: 'as-is' } as const;
  const { events, gone } = listener();
  await t.rejects(gpioLink(spec, clock, '/nowhere/gpiomon').open(events), {
    code: 'LINK_REFUSED',
    message: /package gpiod/,
  });
  const busy = gpiomonTwin(
    2,
    'gpiomon: unable to request lines on chip /dev/gpiochip0: Device or resource busy',
  );
  await t.rejects(gpioLink(spec, clock, busy.command).open(events), { code: 'LINK_BUSY' });
  const none = gpiomonTwin(1, 'gpiomon: error waiting for events: No such file or directory');
  await t.rejects(gpioLink(spec, clock, none.command).open(events), {
    code: 'LINK_REFUSED',
    message: /No such file/,
  });
  const twin = gpiomonTwin(2);
  const link = gpioLink(spec, clock, twin.command);
  await link.open(events);
  await t.rejects(link.write(ON), { code: 'UNSUPPORTED' });
  t.equal(await link.configure({ baudRate: 300, dataBits: 8, parity: 'none', stopBits: 1 }), false);
  await link.close();
  t.same(gone, [null]);
  for (const one of [busy, none, twin]) one.remove();
});

test('a control line is sampled; its supply is raised; an unplugged port is noticed', async (t) => {
  let dcd = false;
  let fails = false;
  const set: object[] = [];
  class Port extends SerialPortMock {
    override set(options: object, done?: (error: Error | null) => void): void {
      set.push(options);
      super.set(options, done);
    }
    override get(done?: (error: Error | null, status?: never) => void): void {
      if (fails) done?.(new Error('EIO'));
      else done?.(null, { cts: false, dsr: false, dcd } as unknown as never);
    }
  }
  SerialPortMock.binding.createPort('/dev/S0');
  const kind = Port as unknown as Parameters<typeof pulseLine>[2];
  const spec = {
    kind: 'pulse-line',
    path: '/dev/S0',
    signal: 'dcd',
    activeLow: false,
    lines: { dtr: true },
  } as const;
  const link = pulseLine(spec, clock, kind);
  const { edges, gone, events } = listener();
  await link.open(events);
  t.same(set, [{ dtr: true }]);
  for (const level of [true, false]) {
    dcd = level;
    await until('an edge', () => edges.length === (level ? 1 : 2));
  }
  t.same(
    edges.map(([level]) => level),
    [1, 0],
  );
  fails = true;
  await until('gone', () => gone.length === 1);
  t.same(gone, ['LINK_GONE']);
  fails = false;
  await link.open(events);
  await link.close();
  t.same(gone, ['LINK_GONE', null]);
  await t.rejects(pulseLine({ ...spec, path: '/dev/none' }, clock, kind).open(events), {
    code: 'LINK_REFUSED',
  });
});

test('pulses on the receive line of a real serial line; a port without control lines is refused', async (t) => {
  const line = await ptyCarrier();
  const spec = { kind: 'pulse-line', path: line.path, activeLow: false } as const;
  const link = pulseLine({ ...spec, signal: 'rxd' }, clock);
  const { edges, events } = listener();
  await link.open(events);
  for (let i = 1; i <= 2; i++) {
    line.write(Uint8Array.of(0, 0xf0));
    await until('a pulse', () => edges.length === 2 * i);
  }
  t.same(
    edges.map(([level]) => level),
    [1, 0, 1, 0],
  );
  await link.close();
  await t.rejects(pulseLine({ ...spec, signal: 'dcd' }, clock).open(events), { code: 'LINK_REFUSED' });
  await line.close();
});

test('the configuration of a pulse meter', async (t) => {
  const meter = {
    id: 'pv',
    name: 'PV',
    protocol: 'pulses',
    link: { kind: 'gpio', line: 17 },
    pulses: { constant: 1000, reading: { value: 12.5, at: '2026-01-15T12:00:00+01:00' } },
  };
  const check = (change: object) => {
    const site = { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3 };
    const loaded = checkConfig({
      site,
      store: { path: 'x' },
      meters: [{ ...meter, ...change }],
      devices: [],
    });
    return loaded.ok ? [] : loaded.mistakes.map((m) => m.path);
  };
  t.same(check({}), []);
  t.same(check({ link: { kind: 'pulse-line', path: '/dev/ttyUSB0', signal: 'dcd' } }), []);
  t.same(check({ link: { kind: 'tcp', host: 'x', port: 1 } }), ['meters[0].link.kind']);
  t.same(check({ pulses: undefined }), ['meters[0].pulses']);
  t.same(check({ pulses: { constant: 1000, register: 'pv' } }), ['meters[0].pulses.register']);
  t.same(check({ protocol: 'sml' }), ['meters[0].link.kind']);
});
