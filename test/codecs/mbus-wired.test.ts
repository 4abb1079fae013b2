/** The wired M-Bus master as machines, against a bus that speaks the bytes; on simulated time. */
import { test } from 'tap';
import { MbusBus } from '../../firmware/adapters/meters/mbus/bus.ts';
import { searchBus } from '../../firmware/adapters/meters/mbus/search.ts';
import type { Outcome, Request } from '../../firmware/codecs/mbus/exchange.ts';
import { newReadout, type ReadoutOptions, step as readoutStep } from '../../firmware/codecs/mbus/readout.ts';
import { setBaud, setPrimaryAddress, sndNke } from '../../firmware/codecs/mbus/requests.ts';
import { step as searchStep } from '../../firmware/codecs/mbus/search.ts';
import { newSearch, type SearchState } from '../../firmware/codecs/mbus/search-state.ts';
import { ANYBODY } from '../../firmware/codecs/mbus/secondary.ts';
import { HearthError } from '../../firmware/domain/errors.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { libmbusSearch } from '../twins/libmbus-search.ts';
import { bcd, MbusTwin, type MbusTwinMeter, twinMeter } from '../twins/mbus-line.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');

function busWith(meters: readonly MbusTwinMeter[], baudRate = 2400) {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const { link, twin: end } = simulatedLine(clock, 'line');
  const twin = new MbusTwin(meters, { clock, baudRate, write: (bytes) => end.write(bytes) });
  let speed = 0;
  const settable = {
    ...link,
    configure: async (settings: { baudRate: number }) => {
      speed = settings.baudRate;
      return true;
    },
  };
  end.onBytes((bytes) => twin.take(bytes, speed));
  return { clock, twin, end, bus: new MbusBus(settable, clock, { latencyMs: null }) };
}

async function finish<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let over = false;
  const end = work.finally(() => {
    over = true;
  });
  end.catch(() => {});
  while (!over) await clock.advanceTo(clock.elapsedMs() + 1000);
  return end;
}

async function search({ bus, clock, twin }: ReturnType<typeof busWith>): Promise<SearchState> {
  const work = bus.run(
    { start: newSearch(), step: (state, outcome) => searchStep(state, outcome, { mask: ANYBODY }) },
    twin.baudRate,
  );
  return finish(clock, work);
}

async function read({ bus, clock, twin }: ReturnType<typeof busWith>, options: Partial<ReadoutOptions>) {
  const all: ReadoutOptions = { target: { primary: 5 }, applicationReset: null, key: null, ...options };
  const work = bus.run(
    { start: newReadout(), step: (state, outcome) => readoutStep(state, outcome, all) },
    twin.baudRate,
  );
  const end = await finish(clock, work);
  if (end.name !== 'done') throw new Error(`the readout ended in ${end.name}`);
  return end.result;
}

const secondary = (id: string) => ({ target: { secondary: { ...ANYBODY, id } } });
const VOLUME = (m3: number): number[] => [0x0c, 0x16, ...bcd(String(m3).padStart(8, '0'))];
const THREE = [
  Uint8Array.from([...VOLUME(1), 0x1f]),
  Uint8Array.from([...VOLUME(2), 0x1f]),
  Uint8Array.from(VOLUME(3)),
];
const valuesOf = (result: { telegrams: readonly { records?: readonly { value?: number | null }[] }[] }) =>
  result.telegrams.map(({ records }) => records?.[0]?.value);

test('several telegrams: the frame count bit asks for the next, and again for one that was lost', async (t) => {
  for (const target of [{ primary: 5 }, secondary('12345678').target]) {
    const home = busWith([twinMeter('12345678', { primary: 5, telegrams: THREE }), twinMeter('87654321')]);
    const result = await read(home, { target });
    t.same(valuesOf(result), [1, 2, 3]);
    t.equal(result.reason, null);
    const asked = home.twin.requests.filter((r) => r[0] === 0x10 && ((r[1] ?? 0) & 0xdf) === 0x5b);
    t.same(
      asked.map((r) => ((r[1] ?? 0) & 0x20) !== 0),
      [true, false, true],
    );
  }
  const lossy = busWith([twinMeter('12345678', { primary: 5, telegrams: THREE })]);
  let answers = 0;
  lossy.twin.loses = () => [2, 3].includes(answers++);
  t.same(valuesOf(await read(lossy, {})), [1, 2, 3], 'nothing is skipped');
});

test('the master goes on as soon as a good frame is complete', async (t) => {
  const home = busWith([twinMeter('12345678', { primary: 5, telegrams: THREE })]);
  const started = home.clock.elapsedMs();
  let ended = 0;
  const work = home.bus
    .run(
      {
        start: newReadout(),
        step: (state, outcome) =>
          readoutStep(state, outcome, { target: { primary: 5 }, applicationReset: null, key: null }),
      },
      2400,
    )
    .then(() => {
      ended = home.clock.elapsedMs();
    });
  await finish(home.clock, work);
  // One acknowledgement and three frames of 27 or 28 bytes at 2400 baud, each after less than 52 bit times, 2 ms of line.
  const onLineMs = ((1 + 28 + 28 + 27) * 11 + 4 * 52) / 2.4 + 4 * 2;
  t.ok(
    ended - started < onLineMs + 80,
    `${Math.round(ended - started)} ms, of them ${Math.round(onLineMs)} on the line`,
  );
});

test('meters that misbehave are told apart', async (t) => {
  const one = (changes: Partial<MbusTwinMeter>) =>
    busWith([twinMeter('12345678', { primary: 5, ...changes })]);
  const codes: [Partial<MbusTwinMeter>, string | undefined][] = [
    [{ misbehaves: 'silent' }, 'TIMEOUT'],
    [{ misbehaves: 'mute' }, 'TIMEOUT'],
    [{ misbehaves: 'badChecksum' }, 'BAD_CHECKSUM'],
    [{ misbehaves: 'noReset' }, undefined],
    [{ telegrams: [hex('0C 06')] }, 'BAD_VALUE'],
    [{ telegrams: [hex('0C 06 45230100 1F')] }, undefined],
  ];
  for (const [changes, code] of codes) {
    const result = await read(one(changes), {});
    t.equal(result.reason?.code, code, JSON.stringify(changes));
  }
  const result = await read(
    one({ telegrams: Array.from({ length: 60 }, (_, i) => Uint8Array.from([...VOLUME(i), 0x1f])) }),
    {},
  );
  t.equal(result.reason?.code, 'OVERSIZED', 'one that never ends');
  t.equal((await read(one({}), secondary('99999999'))).reason?.code, 'TIMEOUT');
  const twice = busWith([twinMeter('12345678'), twinMeter('12345678', { medium: 7, version: 3 })]);
  t.equal((await read(twice, secondary('12345678'))).reason?.code, 'WRONG_ANSWER');
  const echoing = one({ telegrams: THREE });
  echoing.twin.echo = true;
  echoing.twin.noise = [0x00, 0xff];
  t.same(valuesOf(await read(echoing, {})), [1, 2, 3], 'echo and noise do not matter');
});

test('application reset starts again at the first telegram, with its subcode', async (t) => {
  const home = busWith([twinMeter('12345678', { primary: 5 })]);
  await read(home, { applicationReset: 0x10 });
  t.ok(home.twin.requests.some((r) => r[6] === 0x50 && r[7] === 0x10));
  await read(home, { applicationReset: 'plain' });
  t.ok(home.twin.requests.some((r) => r[6] === 0x50 && r[1] === 3));
});

/** Three production runs, numbers from everywhere, and twins that differ only in what is not the number. */
function bigBus(): MbusTwinMeter[] {
  const random = seededRandom(7);
  const number = (n: number): string => String(Math.floor(n)).padStart(8, '0');
  const run = (from: number, count: number, changes: Partial<MbusTwinMeter>): MbusTwinMeter[] =>
    Array.from({ length: count }, (_, i) => twinMeter(number(from + i), changes));
  const bulk = new Map<string, MbusTwinMeter>();
  while (bulk.size < 60) {
    const id = number(random.next() * 1e8);
    bulk.set(id, twinMeter(id, { manufacturer: 'ZRI', version: 9 }));
  }
  while (bulk.size < 120) {
    const id = number(67_300_000 + random.next() * 4000);
    bulk.set(id, twinMeter(id, { manufacturer: 'SEN', medium: 7, version: 0x19 }));
  }
  return [
    ...run(21_340_500, 60, { manufacturer: 'LUG', version: 2 }),
    ...run(21_343_990, 60, { manufacturer: 'KAM', medium: 6 }),
    ...bulk.values(),
    twinMeter('21340510', { manufacturer: 'LUG', version: 2, medium: 7 }),
    twinMeter('21340511', { manufacturer: 'HYD', version: 2 }),
    twinMeter('21340512', { manufacturer: 'LUG', version: 0x40 }),
    twinMeter('21340512', { manufacturer: 'LUG', version: 0x41 }),
    ...run(10, 6, { manufacturer: 'ABB', medium: 2 }),
  ];
}

test('every one of 250 meters is found, those with equal numbers too', async (t) => {
  const meters = bigBus();
  t.equal(meters.length, 250);
  const home = busWith(meters);
  const end = await search(home);
  t.equal(end.found.size, 250);
  t.same(end.unresolved, []);
  t.equal(end.requests, home.twin.requests.length, 'it counts what it sends');
  const reference = libmbusSearch(meters);
  t.comment(`${end.requests} requests; libmbus: ${reference.requests}, and finds ${reference.found}`);
  t.ok(end.requests < reference.requests);
  const random = seededRandom(11);
  const others = {
    'in a row': Array.from({ length: 250 }, (_, i) => twinMeter(String(34_000_100 + i))),
    'at random': Array.from({ length: 250 }, () => twinMeter(String(1e7 + Math.floor(random.next() * 9e7)))),
  };
  for (const [name, row] of Object.entries(others)) {
    const { found, requests } = await search(busWith(row));
    const theirs = libmbusSearch(row);
    t.comment(`250 ${name}: ${requests} requests; libmbus: ${theirs.requests}`);
    t.equal(found.size, 250, name);
    t.ok(requests < theirs.requests, name);
  }
});

test('a bad bus: lost answers, echo, noise, and meters that are late, mute or garbled', async (t) => {
  const meters = bigBus().slice(0, 100);
  const [late, mute, garbled, dead] = [meters[7], meters[30], meters[61], meters[90]];
  if (late) late.misbehaves = 'late';
  if (mute) mute.misbehaves = 'mute';
  if (garbled) garbled.misbehaves = 'badChecksum';
  if (dead) dead.misbehaves = 'silent';
  const home = busWith(meters);
  home.twin.echo = true;
  home.twin.noise = [0xff, 0x00];
  const random = seededRandom(3);
  home.twin.loses = () => random.next() < 0.02;
  const end = await search(home);
  t.comment(`${end.requests} requests, ${end.sweeps} sweeps, ${end.unresolved.length} unresolved`);
  const missing = meters.filter((m) => ![...end.found.values()].some(({ address }) => address.id === m.id));
  t.same(
    missing.map((m) => m.misbehaves),
    ['mute', 'badChecksum', 'silent'],
  );
  const named = end.unresolved.map(({ why }) => why);
  t.ok(named.includes('mute'), 'the installer hears of the mute one');
  t.ok(named.includes('alike'), 'and of the garbled one');
});

test('small buses: nobody, one, letters in the number, one that is always garbled', async (t) => {
  const nobody = await search(busWith([]));
  t.same([nobody.found.size, nobody.requests], [0, 4]);
  const one = await search(busWith([twinMeter('00000007')]));
  t.same([one.found.size, one.requests], [1, 3]);
  const letters = await search(busWith(['1234567A', '1234567B', '1234567C'].map((id) => twinMeter(id))));
  t.same([letters.found.size, letters.unresolved], [3, []]);
  const garbled = await search(busWith([twinMeter('12345678', { misbehaves: 'badChecksum' })]));
  t.match(garbled.unresolved, [{ why: 'alike', mask: { id: '12345678', medium: 4, version: 0x1b } }]);
  t.equal(garbled.unresolved.length, 1);
});

test('a line that answers to everything ends the search, and the installer hears why', async (t) => {
  const home = busWith([]);
  home.end.onBytes(() => home.end.write(hex('A5 5A')));
  const { meters, requests } = await finish(home.clock, searchBus(home.bus, { baudRates: [2400] }));
  t.ok(requests < 200, `${requests} requests`);
  t.match(meters.at(-1), { address: 'FFFFFFFF', identity: null, remark: /given up/ });
});

test('the search of a whole bus: at every speed, by number and by primary address', async (t) => {
  const meters = [twinMeter('11111111', { primary: 1 }), twinMeter('22222222', { primary: 17, medium: 7 })];
  meters.push(twinMeter('33333333', { primary: 17 }));
  const home = busWith(meters, 9600);
  const told: string[] = [];
  const { meters: found } = await finish(
    home.clock,
    searchBus(home.bus, { by: 'both', found: ({ address }) => void told.push(address) }),
  );
  t.match(found, [
    { baudRate: 9600, address: '11111111-KAM-1b-04', primary: 1, identity: { medium: 'heat' }, remark: null },
    { address: '22222222-KAM-1b-07', primary: 17, remark: null },
    { address: '33333333-KAM-1b-04' },
    { address: '17', identity: null, remark: /several/ },
  ]);
  t.same(
    told,
    found.map(({ address }) => address),
  );
  const nobody = busWith([]);
  t.same((await finish(nobody.clock, searchBus(nobody.bus))).meters, []);
});

test('an installer changes speed and address', async (t) => {
  const home = busWith([twinMeter('12345678')]);
  const order = (bytes: Uint8Array, baudRate: number) =>
    finish(
      home.clock,
      home.bus.run(
        {
          start: { outcome: null as Outcome | null, sent: false },
          step: ({ sent }, outcome: Outcome | null) => ({
            state: { outcome, sent: true },
            request: sent ? null : ({ bytes, expect: 'ack', from: null, attempts: 1 } satisfies Request),
          }),
        },
        baudRate,
      ),
    );
  t.match(await order(setPrimaryAddress(0, 5), 2400), { outcome: { kind: 'ack' } });
  t.match(await order(setBaud(5, 9600), 2400), { outcome: { kind: 'ack' } });
  t.equal(home.twin.baudRate, 9600);
  t.match(await order(sndNke(5), 2400), { outcome: { kind: 'silent' } });
  t.match(await order(sndNke(5), 9600), { outcome: { kind: 'ack' } });
});

test('a link that does not take its speed is closed, so that it can be opened again', async (t) => {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const done: string[] = [];
  const link = {
    name: 'stubborn',
    open: async () => void done.push('open'),
    write: async () => {},
    configure: async () => {
      throw new HearthError('TIMEOUT', 'no answer of the port');
    },
    close: async () => void done.push('close'),
  };
  const bus = new MbusBus(link, clock, { latencyMs: null });
  for (const _ of [1, 2]) await t.rejects(finish(clock, searchBus(bus)), { code: 'TIMEOUT' });
  t.same(done, ['open', 'close', 'open', 'close']);
});

test('the line is cut in the middle of a search, and the next one works', async (t) => {
  const home = busWith(bigBus().slice(0, 20));
  home.clock.after(3000, () => home.end.drop());
  home.clock.after(5000, () => home.end.restore());
  await t.rejects(search(home), { code: 'LINK_GONE' });
  await home.clock.advanceTo(6000);
  t.equal((await search(home)).found.size, 20);
});
