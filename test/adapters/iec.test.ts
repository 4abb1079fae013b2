/** Meters of IEC 62056-21 on a simulated line where every character takes its time. */
import { test } from 'tap';
import { Dialogue } from '../../firmware/adapters/meters/dialogue.ts';
import { PolledMeter, type PolledOptions } from '../../firmware/adapters/meters/polled-meter.ts';
import { type SignOnOptions, signOn } from '../../firmware/codecs/iec62056-21/index.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { MeterEvent } from '../../firmware/domain/meter-event.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { simulatedSerial } from '../../firmware/hal/simulated/serial-line.ts';
import { type IecMisbehaviour, IecTwin, type IecTwinOptions } from '../twins/iec-meter.ts';
import { monthOfProfile } from '../twins/load-profile.ts';

const ZONE = 'Europe/Berlin';
const START = Date.UTC(2026, 0, 15, 12, 0, 0);

function bench(twinOptions: IecTwinOptions = {}, startMs = START) {
  const clock = new SimulatedClock(startMs);
  const { link, twin: end } = simulatedSerial(clock, 'line');
  const twin = new IecTwin(
    {
      send: (bytes, baudRate) => end.write(bytes, baudRate),
      after: (ms, task) => void clock.after(ms, task),
    },
    twinOptions,
  );
  end.onBytes((bytes, baudRate) => twin.take(bytes, baudRate));
  return { clock, link, twin, end };
}

function meterOn(b: ReturnType<typeof bench>, options: Partial<PolledOptions> = {}) {
  const meter = new PolledMeter(
    { id: 'm', address: '', intervalMs: 60_000, timeZone: ZONE, ...options },
    b.link,
    b.clock,
  );
  const seen = {
    measured: [] as Measurement[],
    history: [] as Measurement[],
    faults: [] as string[],
    messages: [] as string[],
    health: [] as string[],
    events: [] as MeterEvent[],
  };
  meter.open({
    measured: (m) => void seen.measured.push(...m),
    history: (m) => void seen.history.push(...m),
    noted: (e) => void seen.events.push(e),
    flexibility: () => {},
    status: () => {},
    health: (h) => void seen.health.push(h),
    fault: (f) => {
      seen.faults.push(f.code);
      seen.messages.push(f.message);
    },
  });
  const importOf = () => seen.measured.find((m) => m.point.quantity === 'activeEnergyImport')?.value;
  return { meter, seen, importOf };
}

test('every mode that can be read out', async (t) => {
  for (const [name, twin, acknowledged, baudRate] of [
    ['mode C at 9600', { z: '5' }, [9600], 9600],
    ['mode C, quick reactions', { z: '6', manufacturer: 'HRt' }, [19200], 19200],
    ['mode B at 4800', { z: 'D' }, [], 4800],
    ['mode A, Z is a blank', { z: ' ' }, [], 300],
    ['mode E offers its readout too', { z: '5', ident: '\\2METER-1' }, [9600], 9600],
    ['a head that echoes', { z: '5', echo: true }, [9600], 9600],
  ] as const) {
    const b = bench(twin);
    const { importOf, seen, meter } = meterOn(b);
    await b.clock.advanceTo(30_000);
    t.equal(importOf(), 219_251, name);
    t.same(b.twin.acknowledged, acknowledged, `${name}: acknowledged`);
    t.equal(b.end.settings().baudRate, baudRate, `${name}: line`);
    t.same(seen.faults, [], `${name}: faults`);
    await meter.close();
  }
});

test('history and manufacturer codes do not overwrite the present value', async (t) => {
  const b = bench();
  const { seen } = meterOn(b);
  await b.clock.advanceTo(10_000);
  t.same(
    seen.measured.filter((m) => m.point.quantity === 'activeEnergyImport').map((m) => m.value),
    [219_251],
  );
});

test('addressed: the right meter answers, another one is silent', async (t) => {
  const right = bench({ address: '815' });
  const there = meterOn(right, { address: '00000815' });
  await right.clock.advanceTo(10_000);
  t.equal(there.importOf(), 219_251);
  const wrong = bench({ address: '815' });
  const gone = meterOn(wrong, { address: '816' });
  await wrong.clock.advanceTo(10_000);
  t.same(gone.seen.faults, ['TIMEOUT']);
});

test('a battery meter sleeps until it is woken', async (t) => {
  const asleep = bench({ battery: true });
  const without = meterOn(asleep);
  await asleep.clock.advanceTo(20_000);
  t.equal(without.importOf(), undefined);
  const woken = bench({ battery: true });
  const withIt = meterOn(woken, { wakeUp: true });
  await woken.clock.advanceTo(20_000);
  t.equal(withIt.importOf(), 219_251);
});

test('what goes wrong has a name, and the next readout is good', async (t) => {
  const cases: readonly [IecMisbehaviour, string | null][] = [
    ['badBccOnce', null],
    ['badBcc', 'BAD_CHECKSUM'],
    ['half', 'CUT_FRAME'],
    ['silent', 'TIMEOUT'],
    ['late', 'TIMEOUT'],
  ];
  for (const [misbehaves, code] of cases) {
    const b = bench();
    b.twin.misbehaves = misbehaves;
    const { seen, importOf } = meterOn(b);
    await b.clock.advanceTo(16_000);
    if (misbehaves !== 'late') t.equal(seen.faults[0] ?? null, code, misbehaves);
    b.twin.misbehaves = 'none';
    await b.clock.advanceTo(120_000);
    t.equal(importOf(), 219_251, `${misbehaves}: read again`);
    t.equal(seen.health.at(-1), 'ok');
  }
});

test('a meter that offers 9600 and stays at 300: one diagnosis, then it is read at 300', async (t) => {
  const b = bench();
  b.twin.misbehaves = 'staysAt300';
  const { seen, importOf } = meterOn(b);
  await b.clock.advanceTo(120_000);
  t.same(seen.faults, ['WRONG_SPEED'], 'one fault, no flood');
  t.match(seen.messages[0], /9600 baud/);
  t.equal(importOf(), 219_251);
  t.same(
    seen.events.map((e) => e.code),
    ['KEEPS_FIRST_SPEED'],
  );
  t.same(b.twin.acknowledged.slice(0, 3), [9600, 300, 300], 'and it stays so');
});

test('what pours in while a dialogue is busy is kept up to a bound', async (t) => {
  const clock = new SimulatedClock(START);
  const { link, twin } = simulatedLine(clock, 'line');
  const dialogue = await Dialogue.open(link, clock);
  const heard = (sizes: readonly number[]): Promise<readonly number[]> => {
    const running = dialogue.run<{ sizes: readonly number[]; over: boolean }>({
      start: () => ({
        state: { sizes: [], over: false },
        effects: [
          { do: 'pause', ms: 1000 },
          { do: 'await', ms: 100 },
        ],
      }),
      step: (state, input) => ({
        state:
          input.type === 'bytes'
            ? { ...state, sizes: [...state.sizes, input.bytes.length] }
            : { ...state, over: true },
        effects: [],
      }),
      over: (state) => state.over,
    });
    for (const size of sizes) twin.write(new Uint8Array(size));
    return clock.advanceTo(clock.elapsedMs() + 2000).then(() => running.then((end) => end.sizes));
  };
  t.same(
    await heard([200_000, 100_000, 60_000, 5000]),
    [200_000, 60_000],
    'in order, without what was too much',
  );
  t.same(await heard([200_000]), [200_000], 'there is room again');
  await dialogue.close();
});

test('mode E: hand-over to HDLC', async (t) => {
  for (const echo of [false, true]) {
    const b = bench({ ident: '\\2METER-1', echo });
    const options: SignOnOptions = {
      address: '',
      baudRate: 300,
      wakeUp: false,
      canChangeSpeed: true,
      stay: false,
      want: 'hdlc',
      attempts: 1,
    };
    const dialogue = await Dialogue.open(b.link, b.clock);
    const running = dialogue.run(signOn(options));
    await b.clock.advanceTo(10_000);
    const end = await running;
    t.equal(end.name, 'done');
    if (end.name !== 'done') continue;
    t.equal(end.result.identification.offersHdlc, true);
    t.equal(end.result.confirmed, true, `confirmed, echo ${echo}`);
    t.same(end.result.line, { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 });
    t.same(b.end.settings(), end.result.line, 'the line is set');
    await dialogue.close();
  }
});

test('programming mode: registers one by one, password, partial blocks, NAK, refusals', async (t) => {
  const registers = ['0.0.0', '1.8.0', '9.9.9', '2.8.0'];
  for (const [name, twin, misbehaves] of [
    ['open', {}, 'none'],
    ['password', { password: '11111111' }, 'none'],
    ['partial blocks', { partial: 5 }, 'none'],
    ['NAK to everything once', { password: '11111111' }, 'naks'],
    ['wrong BCC once', {}, 'badBccOnce'],
    ['a head that echoes', { echo: true, password: '11111111' }, 'none'],
  ] as const) {
    const b = bench(twin);
    b.twin.misbehaves = misbehaves;
    const { seen, importOf, meter } = meterOn(b, { registers, password: { kind: 'P1', text: '11111111' } });
    b.twin.lines = b.twin.lines.map((line) => line.replace('12345678', '815'));
    await b.clock.advanceTo(30_000);
    if (!('password' in twin))
      t.same(seen.faults, ['NOT_ALLOWED'], `${name}: no such password here, and it is tried once`);
    else {
      t.equal(importOf(), 219_251, name);
      t.same(seen.faults, [], name);
    }
    t.equal(b.twin.locked, false, `${name}: the port is free again`);
    await meter.close();
    const open = bench(twin);
    open.twin.misbehaves = misbehaves;
    const without = meterOn(open, { registers });
    await open.clock.advanceTo(30_000);
    if ('password' in twin) t.equal(without.importOf(), undefined, `${name}: not without the password`);
    else t.equal(without.importOf(), 219_251, `${name}: without password`);
    t.equal(open.twin.locked, false, `${name}: the port is free again`);
    t.ok(open.twin.commands.every((c) => !/^[WE]/.test(c)));
    await without.meter.close();
  }
});

test('a month of load profile: stored with time and quality, none missing, none twice', async (t) => {
  const b = bench({ profile: monthOfProfile(Date.UTC(2025, 11, 1), START, ZONE) });
  const profile = { name: 'P.01', periodMs: 900_000, periods: 31 * 96 };
  const { seen } = meterOn(b, { profile, intervalMs: 900_000 });
  await b.clock.advanceTo(800_000);
  const power = seen.history.filter((m) => m.point.quantity === 'activePowerImport');
  t.equal(power.length, 31 * 96);
  t.equal(new Set(power.map((m) => m.receivedMs)).size, 31 * 96, 'none twice');
  t.equal(power.at(-1)?.receivedMs, START - 900_000, 'a mean stands at the begin of its period');
  t.equal(power.at(-1)?.meterTimeMs, START);
  t.ok(power.every((m, i) => i === 0 || m.receivedMs - (power[i - 1]?.receivedMs ?? 0) === 900_000));
  t.same([...new Set(power.map((m) => m.quality))].sort(), ['doubtful', 'good']);
  t.ok(seen.events.some((e) => e.code === 'PROFILE_EVENT'));
  const before = power.length;
  await b.clock.advanceTo(1_900_000);
  t.equal(
    seen.history.filter((m) => m.point.quantity === 'activePowerImport').length,
    before + 2,
    'then only what is new',
  );
});

test('interrupted again and again the month is complete and without a duplicate', async (t) => {
  const b = bench({ profile: monthOfProfile(Date.UTC(2025, 11, 1), START, ZONE) });
  b.twin.misbehaves = 'breaksOff';
  const profile = { name: 'P.01', periodMs: 900_000, periods: 30 * 96 };
  const { seen } = meterOn(b, { profile, intervalMs: 900_000 });
  await b.clock.advanceTo(3_000_000);
  const stamps = seen.history.map((m) => `${m.point.quantity} ${m.receivedMs}`);
  t.ok(seen.faults.length >= 5, 'it was interrupted');
  t.equal(new Set(stamps).size, stamps.length, 'none twice');
  const power = seen.history.filter((m) => m.point.quantity === 'activePowerImport');
  t.equal(power[0]?.receivedMs, START - 30 * 86_400_000);
  t.ok(power.every((m, i) => i === 0 || m.receivedMs - (power[i - 1]?.receivedMs ?? 0) === 900_000));
  t.equal(b.twin.locked, false);
});

test('the night when summer time ends: every quarter once, each in its hour', async (t) => {
  const end = Date.UTC(2026, 9, 26, 12);
  for (const seasonDigit of [true, false]) {
    const b = bench({ profile: monthOfProfile(Date.UTC(2026, 9, 20), end, ZONE, seasonDigit) }, end);
    const profile = { name: 'P.01', periodMs: 900_000, periods: 4 * 96 };
    const { seen } = meterOn(b, { profile, intervalMs: 900_000 });
    await b.clock.advanceTo(1_000_000);
    const power = seen.history.filter(
      (m) => m.point.quantity === 'activePowerImport' && (m.meterTimeMs ?? 0) <= end,
    );
    // Asked in the wrong form first, it answers at the next visit: a period later.
    t.equal(power.length, 4 * 96 - (seasonDigit ? 0 : 1), `season digit ${seasonDigit}`);
    t.ok(power.every((m, i) => i === 0 || m.receivedMs - (power[i - 1]?.receivedMs ?? 0) === 900_000));
  }
});

test('after an outage only the gap is fetched; what a power cut may have lost is fetched again', async (t) => {
  const kept = new Map<string, string>();
  const settings = {
    get: (name: string) => kept.get(name) ?? null,
    set: (name: string, value: string) => void kept.set(name, value),
  };
  const profile = { name: 'P.01', periodMs: 900_000, periods: 10 * 96 };
  const answers = monthOfProfile(Date.UTC(2025, 11, 1), START + 10 * 86_400_000, ZONE);
  const from = async (startMs: number, runMs: number): Promise<number[]> => {
    const b = bench({ profile: answers }, startMs);
    const { seen, meter } = meterOn(b, { profile, intervalMs: 900_000, settings });
    await b.clock.advanceTo(runMs);
    await meter.close();
    return seen.history.filter((m) => m.point.quantity === 'activePowerImport').map((m) => m.receivedMs);
  };
  const first = await from(START, 950_000);
  t.equal(first.length, 10 * 96 + 1);
  const later = START + 5 * 86_400_000;
  const second = await from(later, 950_000);
  t.equal(second[0], START, 'goes on where it was');
  t.equal(second.length, 5 * 96 + 1);
  // The power goes while the values still wait for their batch.
  const third = await from(later + 3_600_000, 20_000);
  const fourth = await from(later + 3_600_000, 100_000);
  t.equal(third.length, 4);
  t.same(fourth, third);
});

test('values of past billing periods are stored with the time of their reset, once', async (t) => {
  const b = bench();
  b.twin.lines.push(
    '0.1.0(33)',
    '0.1.2*01(2601010000)',
    '0.1.2&02(0251201000000)',
    '1.6.0*01(2.5*kW)(2512241800)',
  );
  const { seen } = meterOn(b);
  await b.clock.advanceTo(200_000);
  t.same(
    seen.history.map((m) => [m.point.quantity, m.value, new Date(m.receivedMs).toISOString()]),
    [
      ['activeEnergyImport', 100_000, '2025-11-30T23:00:00.000Z'],
      ['activeEnergyImport', 200_000, '2025-12-31T23:00:00.000Z'],
    ],
  );
});

test('the meter’s clock is compared with ours', async (t) => {
  const b = bench();
  // Two minutes ahead, and it says summer in January.
  b.twin.lines.push('0.9.1(1140202)', '0.9.2(1260115)');
  const { seen } = meterOn(b);
  await b.clock.advanceTo(10_000);
  const drift = seen.measured.find((m) => m.point.quantity === 'clockDrift');
  t.ok(Math.abs((drift?.value ?? 0) - 122) <= 1, `drift ${drift?.value}`);
  t.same(
    seen.events.map((e) => e.code),
    ['CLOCK_DRIFT', 'SEASON_WRONG'],
  );
});

test('a battery meter that does not answer is not woken more often than its budget gives', async (t) => {
  const DAY_MS = 86_400_000;
  const wakes = async (options: Partial<PolledOptions>): Promise<[number, string[]]> => {
    const b = bench();
    let visits = 0;
    const silent = {
      ...b.link,
      open: async () => {
        visits++;
        throw new Error('nobody answers');
      },
    };
    const { meter, seen } = meterOn({ ...b, link: silent }, { wakeUp: true, ...options });
    await b.clock.advanceTo(DAY_MS);
    await meter.close();
    return [visits, seen.faults];
  };
  const [daily] = await wakes({ intervalMs: DAY_MS });
  t.ok(daily <= 18, `${daily} visits`);
  const [hourly] = await wakes({});
  t.ok(hourly > 20 && hourly <= 24 + 12, `${hourly} visits; once an hour is what a battery gives`);
  let left = 3;
  const [counted, faults] = await wakes({
    reads: { spend: (id, _at, perDay) => id === 'm' && perDay === 24 && left-- > 0 },
  });
  t.equal(counted, 3);
  t.ok(faults.includes('READ_BUDGET_SPENT'));
  const [mains] = await wakes({ wakeUp: false, reads: { spend: () => false } });
  t.ok(mains > 1000, 'a meter on the mains is back within a minute');
});
