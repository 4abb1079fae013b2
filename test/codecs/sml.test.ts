import { test } from 'tap';
import { crc16Kermit, crc16X25 } from '../../firmware/codecs/crc16.ts';
import {
  decodeSml,
  readSml,
  SmlDecoder,
  type SmlFrame,
  withDirection,
} from '../../firmware/codecs/sml/index.ts';
import type { Decoded, Telegram } from '../../firmware/domain/telegram.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { misread } from '../twins/published.ts';
import { absent, ENTRIES, entry, file, hex, list, message, sum, transport } from '../twins/sml-telegram.ts';

const GOOD = transport(file(ENTRIES));
const SERVER_OTHER = hex('0a01485459000000002a');

const all = (chunks: readonly Uint8Array[], decoder = new SmlDecoder()): Decoded<SmlFrame>[] => [
  ...chunks.flatMap((c) => [...decoder.push(c)]),
  ...decoder.end(),
];
const payloads = (list: readonly Decoded<SmlFrame>[]): string[] =>
  list.flatMap((d) => (d.ok ? [Buffer.from(d.frame.payload).toString('hex')] : []));
const discarded = (list: readonly Decoded<SmlFrame>[]): number =>
  list.reduce((n, d) => n + (d.ok ? 0 : d.discarded), 0);
function telegram(bytes: Buffer): Telegram {
  const [first] = decodeSml({ bytes }).telegrams;
  if (!first) throw new Error(`not decoded: ${JSON.stringify(decodeSml({ bytes }).faults)}`);
  return first;
}

test('checksums: published check values', async (t) => {
  t.equal(crc16X25(Buffer.from('123456789')), 0x906e);
  t.equal(crc16Kermit(Buffer.from('123456789')), 0x2189);
});

test('a list response to readings, digits kept exact', async (t) => {
  const read = telegram(GOOD);
  t.same(read.meter, { id: '0a01454d480000a1bd34', manufacturer: 'EMH' });
  t.equal(read.time, '2025-10-27T23:28:00Z');
  t.same(read.readings, [
    { obis: '1-0:96.50.1*1', text: 'EMH' },
    { obis: '1-0:1.8.0*255', value: 432871936.5, unit: 'Wh', status: 386 },
    { obis: '1-0:2.8.0*255', value: Number('9223372036854775807e3'), unit: 'Wh' },
    { obis: '1-0:16.7.0*255', value: -327.67, unit: 'W' },
    { obis: '1-0:32.7.0*255', value: 230.1, unit: 'V' },
    { obis: '1-0:96.5.0*255', octets: '1b1b1b1b' },
    { obis: '1-0:13.7.0*255', value: 0.999 },
    { obis: '1-0:72.7.0*255', value: null, quality: 'missing' },
  ]);
});

test('the cut of the chunks does not matter, and noise costs nothing but itself', async (t) => {
  const expected = payloads(all([GOOD]));
  t.equal(expected.length, 1);
  for (let at = 0; at <= GOOD.length; at++)
    t.same(payloads(all([GOOD.subarray(0, at), GOOD.subarray(at)])), expected);
  t.same(payloads(all([...GOOD].map((b) => Uint8Array.of(b)))), expected);
  const random = seededRandom(7).next;
  const noise = Buffer.from(Array.from({ length: 300 }, () => Math.floor(random() * 256)));
  const noisy = all([noise, GOOD, noise, hex('1b1b1b'), GOOD, hex('1b1b1b1b')]);
  t.same(payloads(noisy), [...expected, ...expected]);
  t.equal(discarded(noisy), 607);
});

test('a cut telegram is given up at any byte, the one behind it is found', async (t) => {
  const expected = payloads(all([GOOD]));
  for (let at = 0; at < GOOD.length; at++) {
    const cut = all([GOOD.subarray(0, at)]);
    t.same(payloads(cut), []);
    t.equal(discarded(cut), at, `cut at ${at}`);
    t.same(payloads(all([GOOD.subarray(0, at), GOOD])), expected, `cut at ${at}`);
    t.same(payloads(all([GOOD.subarray(at + 1), GOOD])), expected, `head lost before ${at}`);
  }
});

test('a flipped bit never gives values and never takes the next telegram along', async (t) => {
  for (let bit = 0; bit < GOOD.length * 8; bit++) {
    const bad = Buffer.from(GOOD);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { telegrams, faults } = decodeSml({ bytes: bad });
    if (telegrams.length > 0 || faults.length === 0) t.fail(`bit ${bit} is not noticed`);
    if (decodeSml({ bytes: Buffer.concat([bad, GOOD]) }).telegrams.length !== 1) t.fail(`lost at ${bit}`);
  }
  t.equal(decodeSml({ bytes: GOOD }).telegrams.length, 1);
});

test('escapes: 1Bh in the payload at any place, also at its end', async (t) => {
  for (const text of [
    '12345678',
    '1b',
    '121b1b',
    '121b1b1b',
    '1b1b1b1b',
    '121b1b1b1b1b',
    '1b1b1b1b1b1b1b1b1b',
    '120000',
  ])
    t.same(payloads(all([transport(hex(text))])), [text], text);
});

test('transport errors, each by its code', async (t) => {
  const line = (text: string): Buffer => Buffer.concat([hex(text), sum(hex(text), 'x25')]);
  const code = (bytes: Buffer) => all([bytes]).flatMap((d) => (d.ok ? [] : [d.error.code]))[0];
  const start = '1b1b1b1b01010101';
  t.equal(code(line(`${start}123456ff1b1b1b1b1a01`)), 'BAD_FRAME', 'fill bytes are not 00');
  t.equal(code(line(`${start}000000001b1b1b1b1a04`)), 'BAD_FRAME', 'more than three fill bytes');
  t.equal(code(line(`${start}1b1b1b1b1a01`)), 'BAD_FRAME', 'fill without payload');
  t.equal(code(line(`${start}12341b1b1b1b1a00`)), 'BAD_FRAME', 'end not aligned');
  t.equal(code(hex(`${start}123456781b1b1b1b02020202`)), 'BAD_FRAME', 'unknown escape');
  t.equal(code(hex(`${start}123456781b1b1b1b1a000000`)), 'BAD_CHECKSUM');
  t.equal(code(Buffer.concat([hex(start), Buffer.alloc(20_000, 0x55)])), 'OVERSIZED');
  const after = all([hex(start), Buffer.alloc(20_000, 0x55), GOOD]);
  t.equal(payloads(after).length, 1, 'and the next one is found');
});

test('messages: own checksum, depth, length and form', async (t) => {
  const refused = (payload: Buffer) => decodeSml({ bytes: transport(payload) }).faults[0]?.code;
  const bad = file(ENTRIES);
  const at = bad.indexOf(hex('0102030405'));
  bad[at] = 9;
  t.equal(refused(bad), 'BAD_CHECKSUM');
  t.equal(refused(Buffer.alloc(400, 0x71)), 'BAD_FRAME');
  t.equal(refused(Buffer.concat([hex('76'), Buffer.alloc(400, 0x71)])), 'NESTED_TOO_DEEP');
  t.equal(refused(hex('76 8f8f8f8f8f')), 'BAD_FRAME');
  t.equal(refused(hex('76 05 00')), 'CUT_FRAME');
  t.equal(refused(hex('76 ff0f0f0f')), 'CUT_FRAME');
  t.equal(refused(message('63 0201', list(absent), 'x25')), 'NO_TELEGRAM');
  const random = seededRandom(11).next;
  const whole = file(ENTRIES);
  for (let i = 0; i < 2000; i++) {
    const mutant = Buffer.from(whole);
    for (let k = 0; k < 3; k++) mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
    const read = readSml({ payload: mutant, crc: 'x25' });
    if (read.ok && !mutant.subarray(60).includes(hex('0102030405'))) t.fail('values of a damaged message');
  }
});

test('a scaler beyond any quantity gives no value, and never an infinite one', async (t) => {
  const of = (unit: string, scaler: string) => {
    const { readings } = telegram(transport(file([entry('07 0100010800 ff', unit, scaler, '53 0102')])));
    return readings[0];
  };
  for (const [unit, scaler] of [
    ['62 1e', '53 7fff'],
    ['01', '53 7fff'],
    ['62 1e', '59 7fffffffffffffff'],
  ] as const)
    t.match(
      of(unit, scaler),
      { obis: '1-0:1.8.0*255', value: null, quality: 'invalid' },
      `${unit} ${scaler}`,
    );
  t.match(of('62 1e', '53 ff00'), { value: 2.58e-254, unit: 'Wh' }, 'a very small one is one');
});

test('more escapes than a telegram holds are refused early', async (t) => {
  const escapes = (count: number) => decodeSml({ bytes: transport(Buffer.alloc(4 * count, 0x1b)) }).faults;
  t.equal(escapes(64)[0]?.code, 'BAD_FRAME', 'no message in it');
  t.equal(escapes(65)[0]?.code, 'OVERSIZED');
});

test('what single meters do differently', async (t) => {
  const kermit = transport(
    file(ENTRIES, { kind: 'kermit', time: hex('65 00012345'), tag: '65 00000701' }),
    'kermit',
  );
  t.same(telegram(kermit).readings, telegram(GOOD).readings, 'Holley: KERMIT, bare time, long tag');
  t.equal(telegram(kermit).time, undefined);
  t.equal(payloads(all([GOOD, kermit])).length, 1, 'KERMIT is not taken from a meter that has shown X-25');
  const local = file(ENTRIES, { time: hex('72 6203 73 65 69000000 53003c 53003c') });
  t.equal(telegram(transport(local)).time, '2025-10-28T01:28:00+02:00');
  const power = [entry('07 0100100700 ff', '62 1b', '52 fe', '53 8b28')];
  const watts = (serial: string) =>
    telegram(transport(file(power, { server: hex(`0a01445a4700${serial}`) }))).readings[0]?.value;
  t.equal(watts('0282225e'), 356.24, 'DZG DVS74: unsigned though tagged signed');
  t.equal(watts('039e2055'), -299.12, 'newer DZG: as tagged');
  t.equal(telegram(transport(file([...ENTRIES, ...ENTRIES, ...ENTRIES]))).readings.length, 24, 'a long list');
});

test('the direction of a power without sign, and switches for what no number tells', async (t) => {
  const power = (status: string) => [
    entry('07 0100010800 ff', '62 1e', '52 ff', '56 0102030405', status),
    entry('07 01000f0700 ff', '62 1b', '52 ff', '53 055b'),
  ];
  const net = (status: string, quirks = {}, server = hex('06454d4801027156cd45')) =>
    withDirection(telegram(transport(file(power(status), { server }))), quirks).readings[1];
  t.same(net('63 0182'), { obis: '1-0:16.7.0*255', value: 137.1, unit: 'W' }, 'EMH ED300L draws');
  t.same(net('63 01b0'), { obis: '1-0:16.7.0*255', value: -137.1, unit: 'W' }, 'and delivers');
  t.match(net('63 01b0', {}, SERVER_OTHER), { obis: '1-0:15.7.0*255', value: 137.1 });
  t.match(net('63 0800', { deliveryBit: 11 }, SERVER_OTHER), { obis: '1-0:16.7.0*255', value: -137.1 });
  const phase = transport(
    file([entry('07 0100240700 ff', '62 1b', '52 fe', '53 8b28')], { server: SERVER_OTHER }),
  );
  const [frame] = all([phase]).flatMap((d) => (d.ok ? [d.frame] : []));
  const watts = (quirks: object) => {
    const read = frame && readSml(frame, quirks);
    return read?.ok ? read.value.readings[0]?.value : null;
  };
  t.equal(watts({}), -299.12);
  t.equal(watts({ unsignedPower: true }), 356.24, 'DZG WS74121');
});

test('unknown escapes, as one capture has them: every telegram between them is read', async (t) => {
  const bad = Buffer.concat([GOOD.subarray(0, 60), hex('1b1b1b1b 55aa55aa'), GOOD.subarray(60)]);
  const stream = Array.from({ length: 20 }, (_, i) => (i % 3 === 2 ? bad : GOOD));
  t.equal(payloads(all([Buffer.concat(stream)])).length, 14);
  t.equal(payloads(all([...Buffer.concat(stream)].map((b) => Uint8Array.of(b)))).length, 14);
});

test('published captures; one made here where there are none', async (t) => {
  t.equal(telegram(GOOD).readings.length, ENTRIES.length);
  t.equal(misread('sml'), '');
});
