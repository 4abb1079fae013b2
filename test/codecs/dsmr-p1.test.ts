import { createCipheriv } from 'node:crypto';
import { test } from 'tap';
import { crc16Arc, crc16X25 } from '../../firmware/codecs/crc16.ts';
import { P1Decoder, type P1Keys, readP1 } from '../../firmware/codecs/dsmr-p1/index.ts';
import { readingOf, readLine } from '../../firmware/codecs/iec62056-21/data-set.ts';
import { ReadoutDecoder, readReadout } from '../../firmware/codecs/iec62056-21/index.ts';
import { PlainLines } from '../../firmware/codecs/iec62056-21/plain-line.ts';
import { Known } from '../../firmware/codecs/known.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import { answer } from '../../firmware/commands/decode.ts';
import type { Result } from '../../firmware/domain/errors.ts';
import type { Decoded, Decoder, Telegram } from '../../firmware/domain/telegram.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { p1Frame, p1Telegram } from '../twins/p1-telegram.ts';
import { misread } from '../twins/published.ts';

const P1 = p1Telegram({
  wallMs: Date.UTC(2026, 0, 15, 12),
  importEnergy_Wh: 4_211_734,
  exportEnergy_Wh: 90_001,
  net_W: -1234,
});

/** A readout as a mode C meter sends it, with its block check character. */
const BODY =
  'F.F(00)\r\n0.0.0(12345678)\r\n1.8.0(000219.251*kWh)\r\n32.7(231.4*V)\r\n9.4(108.5*C&088.1*C)\r\n!\r\n\x03';
const BCC = [...BODY].reduce((x, c) => x ^ c.charCodeAt(0), 0);
const READOUT = Buffer.concat([
  Buffer.from('/HRT5METER-1\r\n\x02', 'latin1'),
  Buffer.from(BODY, 'latin1'),
  Buffer.from([BCC]),
]);

const all = <F>(decoder: Decoder<F>, chunks: readonly Uint8Array[]): Decoded<F>[] => [
  ...chunks.flatMap((c) => [...decoder.push(c)]),
  ...decoder.end(),
];
const frames = <F>(list: readonly Decoded<F>[]): F[] => list.flatMap((d) => (d.ok ? [d.frame] : []));

test('a telegram to readings, digits kept exact', async (t) => {
  const [frame] = frames(all(new P1Decoder(), [P1]));
  const telegram = frame && readP1(frame);
  if (!telegram?.ok) throw new Error('not read');
  t.same(telegram.value.meter, { id: 'E0044007', manufacturer: 'HRT' });
  t.equal(telegram.value.time, '2026-01-15T13:00:00+01:00');
  const value = (obis: string) => telegram.value.readings.find((r) => r.obis === obis);
  t.match(value('1-0:1.8.0'), { value: 4_211_734, unit: 'Wh' });
  t.match(value('1-0:2.7.0'), { value: 1234, unit: 'W' });
  t.match(value('0-0:96.14.0'), { text: '0002' });
});

test('a CRC that is not there', async (t) => {
  const of = (lines: readonly string[], end: string, before: Uint8Array = new Uint8Array(0)): string[] =>
    all(new P1Decoder(), [
      before,
      Buffer.from(['/ELL5METER', '', ...lines, '!'].join('\r\n') + end, 'latin1'),
    ])
      .slice(before.length > 0 ? 1 : 0)
      .map((d) => (d.ok ? d.frame.proof : d.error.code));
  const [clock, energy] = ['0-0:1.0.0(210217184019W)', '1-0:1.8.0(00006678.394*kWh)'];
  t.same(of(['0-0:96.1.4(50217)', clock, energy], '\r\n'), ['NO_CHECKSUM'], 'Belgium');
  t.same(of(['1-3:0.2.8(42)', clock, energy], '\r\n'), ['NO_CHECKSUM']);
  t.same(of([clock, energy], '\r\n', P1), ['NO_CHECKSUM'], 'Sweden: it sent one before');
  t.same(of([energy], '\r\n', P1), ['NO_CHECKSUM']);
  t.same(of([energy], '\r\n'), ['absent'], 'DSMR 2.2');
  t.same(of([energy], ''), ['absent']);
  t.same(of([clock, energy], ''), ['CUT_FRAME'], 'Sweden: the input ends in front of the CRC');
  t.same(of(['1-3:0.2.8(50)', energy], ''), ['CUT_FRAME']);
  t.same(of(['0-0:96.1.4(50217)', energy], ''), ['CUT_FRAME']);
  t.same(of([energy], '', P1), ['CUT_FRAME']);
});

test('a readout to readings', async (t) => {
  const [frame] = frames(all(new ReadoutDecoder(), [READOUT]));
  const telegram = frame && readReadout(frame);
  if (!telegram?.ok) throw new Error('not read');
  t.equal(frame?.bcc, 'valid');
  t.match(
    telegram.value.readings.find((r) => r.obis === '1.8.0'),
    { value: 219_251, unit: 'Wh' },
  );
  t.same(telegram.value.readings.find((r) => r.obis === '9.4')?.values, [
    { value: 108.5, unit: 'C' },
    { value: 88.1, unit: 'C' },
  ]);
});

/** A codec with its frames kept beside what they read as. */
interface Codec {
  readonly make: () => Decoder<unknown>;
  /** Each value that the frames of the bytes read as. */
  readonly values: (decoder: Decoder<unknown>, chunks: readonly Uint8Array[]) => string[];
}

function codec<F>(make: () => Decoder<F>, read: (frame: F) => Result<Telegram>): Codec {
  const values = (decoder: Decoder<unknown>, chunks: readonly Uint8Array[]): string[] =>
    frames(all(decoder as Decoder<F>, chunks)).flatMap((frame) => {
      const telegram = read(frame);
      return telegram.ok ? telegram.value.readings.map((r) => JSON.stringify(r)) : [];
    });
  return { make, values };
}

for (const [name, { make, values }, bytes] of [
  ['P1', codec(() => new P1Decoder(), readP1), P1],
  ['readout', codec(() => new ReadoutDecoder({ parity: 'none', bccRequired: true }), readReadout), READOUT],
] as const) {
  test(`${name}: cut at every byte it gives the same frames`, async (t) => {
    const two = Buffer.concat([Buffer.from('garbage\r\n'), bytes, bytes]);
    const whole = JSON.stringify(all(make(), [two]));
    t.equal(frames(all(make(), [two])).length, 2);
    for (let cut = 0; cut <= two.length; cut++) {
      if (JSON.stringify(all(make(), [two.subarray(0, cut), two.subarray(cut)])) !== whole)
        t.fail(`cut at ${cut}`);
    }
    t.equal(
      JSON.stringify(
        all(
          make(),
          [...two].map((b) => Uint8Array.of(b)),
        ),
      ),
      whole,
      'byte by byte',
    );
  });

  test(`${name}: a flipped bit never gives a value that was not sent`, async (t) => {
    const sent = new Set(values(make(), [bytes]));
    t.ok(sent.size >= 5);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = Buffer.from(bytes);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      for (const value of values(make(), [bad])) if (!sent.has(value)) t.fail(`bit ${bit} gives ${value}`);
    }
  });

  test(`${name}: noise gives nothing, and the next good one is read`, async (t) => {
    const random = seededRandom(4);
    const decoder = make();
    for (let i = 0; i < 400; i++) {
      const noise = Uint8Array.from(random.bytes(1000), (b) => (i % 2 ? b : b & 0x7f));
      for (const value of values(decoder, [noise])) t.fail(`${value} out of noise`);
    }
    t.ok(values(decoder, [Buffer.from('\r\n'), bytes]).length >= 5);
  });
}

test('an encrypted telegram: right key, wrong key, no key, replaced bytes', async (t) => {
  const key = Buffer.alloc(16, 0xaa);
  const authKey = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const title = Buffer.from('SAG\0\0\0\0\x01', 'latin1');
  const counter = Buffer.from([0, 0, 0, 9]);
  const gcm = createCipheriv('aes-128-gcm', key, Buffer.concat([title, counter]), { authTagLength: 12 });
  gcm.setAAD(Buffer.concat([Buffer.from([0x30]), authKey]));
  const body = Buffer.concat([gcm.update(P1), gcm.final(), gcm.getAuthTag()]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length + 5);
  const sealed = Buffer.concat([
    Buffer.from([0xdb, 8]),
    title,
    Buffer.from([0x82]),
    length,
    Buffer.from([0x30]),
    counter,
    body,
  ]);
  t.match(all(new P1Decoder({ key }), [sealed]), [
    { ok: true, frame: { proof: 'ciphered', cipher: { counter: 9 } } },
  ]);
  t.match(all(new P1Decoder({ key: Buffer.alloc(16, 1) }), [sealed]), [
    { ok: false, error: { code: 'BAD_AUTHENTICATION' } },
  ]);
  t.match(all(new P1Decoder(), [sealed]), [{ ok: false, error: { code: 'KEY_MISSING' } }]);
  sealed[100] = (sealed[100] ?? 0) ^ 1;
  t.match(all(new P1Decoder({ key }), [sealed]), [{ ok: false, error: { code: 'BAD_AUTHENTICATION' } }]);
  const under = (control: number, keys: P1Keys): (string | null)[] =>
    all(new P1Decoder(keys), [
      encodeCiphered(p1Frame(['/XXX5abc', '', '1-0:1.8.0(000001.000*kWh)']), {
        systemTitle: title,
        securityControl: control,
        invocationCounter: 0xffffffff,
        key,
        authKey,
      }),
    ]).map((d) => (d.ok ? d.frame.cipher && 'ciphered' : d.error.code));
  t.same(under(0x30, { key, authKey }), ['ciphered']);
  t.same(under(0x20, { key }), ['ciphered']);
  t.notOk(under(0x20, { key, authKey }).includes('ciphered'), 'the tag was taken off');
  t.same(under(0x20, { key, authKey }), ['BAD_AUTHENTICATION', 'NO_TELEGRAM']);
  for (const control of [0x00, 0x10])
    for (const keys of [{ key }, { key, authKey }])
      t.same(under(control, keys).slice(0, 2), ['NOT_ENCRYPTED', null], 'what is in it stands in clear');
});

test('hearth decode: bad lines are answered, never crash', async (t) => {
  for (const line of [
    '',
    'null',
    '[]',
    '{',
    '{"id":1}',
    '{"id":1,"kind":"p1","hex":"abc"}',
    '{"id":1,"kind":"nope","hex":""}',
    '{"id":1,"kind":"p1","hex":"00","key":7}',
  ]) {
    t.match(answer(line), { ok: false, error: { code: /^[A-Z_]+$/ } }, line);
  }
  t.match(
    answer(
      JSON.stringify({
        id: 'a',
        kind: 'p1',
        hex: Buffer.from(P1).toString('hex'),
      }),
    ),
    { id: 'a', ok: true },
  );
});

test('the corpus of real telegrams, where it is there', async (t) => {
  t.equal(misread('p1,iec62056-21-readout'), '');
});

test('a plain line is read as the grammar reads it, or left to it', async (t) => {
  const ids = ['1-0:1.8.0', '1.8.0*255', '0-1:24.2.1&01', '', ' 1.8.0', 'x'.repeat(33)];
  const values = [
    '',
    '0',
    '000219.251*kWh',
    '5.*V',
    '.5*V',
    '1.2.3*V',
    '-3*A',
    '12*',
    '007*parsec',
    '1*h',
    '1*m3',
    '3 kWh',
    'a*b*c',
  ];
  const texts = [
    '200229120000W',
    '210229120000S',
    '240131250000S',
    '2401311200005',
    '1&2',
    '9'.repeat(16),
    '9'.repeat(16).concat('*W'),
  ];
  let plain = 0;
  for (const id of ids)
    for (const value of [...values, ...texts]) {
      const line = `${id}(${value})`;
      const lines = new PlainLines(Buffer.from(`${line}\r\n1-0:1.8.0(1)`, 'latin1'));
      const reading = lines.plain();
      if (!reading) continue;
      plain += 1;
      const read = readLine(line);
      const expected = read.ok && read.value[0] ? readingOf(read.value[0]) : null;
      t.same(expected, { ok: true, value: reading }, line);
      t.equal(lines.line(), '1-0:1.8.0(1)', 'the next line is next');
    }
  t.ok(plain > 20, `${plain} lines were plain`);
  t.equal(
    new PlainLines(Buffer.from('0-1:24.3.0(1)\r\n(2)')).plain(),
    null,
    'a bracket may follow on the next line',
  );
});

test('what is remembered is remembered by all its bytes', async (t) => {
  let read = 0;
  const known = new Known((bytes, from, to) => {
    read += 1;
    return Buffer.from(bytes.subarray(from, to)).toString('hex');
  });
  const bytes = Buffer.from('0100010800ff', 'hex');
  for (let bit = 0; bit < 48; bit++) {
    const other = Buffer.from(bytes);
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.equal(known.of(bytes, 0, 6), '0100010800ff');
    t.equal(known.of(other, 0, 6), other.toString('hex'));
  }
  known.of(bytes, 0, 6);
  const before = read;
  t.equal(known.of(bytes, 0, 6), '0100010800ff');
  t.equal(read, before, 'the same bytes are not read again');
  t.equal(known.of(bytes, 0, 5), '0100010800', 'a shorter piece is another');
});

test('the checksum by eight bytes at a time is that by one bit at a time', async (t) => {
  const random = seededRandom(16);
  const bytes = random.bytes(60);
  const slow = (from: number, to: number, start: number, polynomial: number): number => {
    let crc = start;
    for (const byte of bytes.subarray(from, to)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    }
    return crc;
  };
  for (let from = 0; from < 10; from++)
    for (let to = from; to <= bytes.length; to++) {
      t.equal(crc16Arc(bytes, from, to), slow(from, to, 0, 0xa001));
      t.equal(crc16X25(bytes, from, to), slow(from, to, 0xffff, 0x8408) ^ 0xffff);
    }
});
