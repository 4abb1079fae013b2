/** DLMS pushes: whatever carries them, whoever sends them, and everything that can be wrong with them. */
import { test } from 'tap';
import { encodeLength } from '../../firmware/codecs/bytes.ts';
import { AxdrReader } from '../../firmware/codecs/dlms/axdr.ts';
import { encodeDateTime, readDateTime, rfc3339 } from '../../firmware/codecs/dlms/date-time.ts';
import { concat, octets, structure, uint32, visible } from '../../firmware/codecs/dlms/encode.ts';
import { decodeDlmsPush, PushDecoder, readPush } from '../../firmware/codecs/dlms/index.ts';
import { encodeMbus } from '../../firmware/codecs/dlms/mbus-frame.ts';
import { profileOf, readingOf } from '../../firmware/codecs/dlms/readings.ts';
import { encodeWrapper } from '../../firmware/codecs/dlms/wrapper.ts';
import { encodeHdlc, scanHdlc } from '../../firmware/codecs/hdlc/frame.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import type { DecodeOutput, Reading, Telegram } from '../../firmware/domain/telegram.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import {
  aidon,
  austrian,
  inBlocks,
  inHdlc,
  inMbus,
  kaifa,
  kamstrup,
  landisGyr,
  notification,
  VALUES,
} from '../twins/dlms-telegram.ts';
import { misread } from '../twins/published.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const KEY = hex('000102030405060708090A0B0C0D0E0F');
const AUTH_KEY = hex('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF');
const sealing = (securityControl: number, invocationCounter = 7) => ({
  systemTitle: hex('4D4D4D0000BC614E'),
  securityControl,
  invocationCounter,
  key: KEY,
  authKey: AUTH_KEY,
});
const ciphered = (apdu: Uint8Array, control = 0x30, counter = 7) =>
  encodeCiphered(apdu, sealing(control, counter));

const decoded = (bytes: Uint8Array, keys: { key?: Uint8Array; authKey?: Uint8Array } = {}): DecodeOutput =>
  decodeDlmsPush({ bytes, ...keys });
const codes = (out: DecodeOutput): string[] => out.faults.map((f) => f.code);
function telegram(out: DecodeOutput): Telegram {
  const [first, second] = out.telegrams;
  if (!first || second) throw new Error(`${out.telegrams.length} telegrams: ${JSON.stringify(out.faults)}`);
  return first;
}
const under = (read: Telegram, obis: string): Reading | undefined =>
  read.readings.find((r) => r.obis === `${obis}*255`);
const number = (read: Telegram, obis: string): string => {
  const { value, unit } = under(read, obis) ?? {};
  return `${value} ${unit ?? ''}`.trim();
};

test('lists of several makers in the units of the house', async (t) => {
  const read = telegram(decoded(inHdlc(aidon(VALUES))));
  t.same(read.meter, { id: '7359992890000001', manufacturer: 'AID' });
  t.equal(read.time, '2026-03-29T03:00:10Z', 'Aidon has no date-time in the head: its clock is taken');
  t.equal(number(read, '1-0:1.8.0'), '4211730 Wh');
  t.equal(number(read, '1-0:31.7.0'), '-5.4 A', 'newer firmware signs its currents');
  t.equal(number(read, '1-0:32.7.0'), '231 V');

  const places = telegram(decoded(inHdlc(kaifa(VALUES))));
  t.same(places.meter, { id: '6970631400000001', manufacturer: 'KFM' });
  t.equal(places.time, '2026-03-29T03:00:10+02:00');
  t.equal(number(places, '1-0:31.7.0'), '5.4 A');
  t.equal(number(places, '1-0:72.7.0'), '231 V');
  t.equal(number(places, '1-0:4.7.0'), '140 var');
  t.equal(number(places, '1-0:1.8.0'), '4211730 Wh');
  t.equal(under(places, '1-0:52.7.0')?.quality, undefined);
  const it = telegram(decoded(inHdlc(kaifa(VALUES, 'MA304H3E'))));
  t.same(
    under(it, '1-0:52.7.0'),
    { obis: '1-0:52.7.0*255', value: 0, unit: 'V', quality: 'missing' },
    'on IT nets L2 is not measured',
  );

  const row = telegram(decoded(inHdlc(kamstrup(VALUES))));
  t.same(row.meter, { id: '5706567000000001', manufacturer: 'KAM' });
  t.equal(number(row, '1-1:1.8.0'), '4211730 Wh');
  t.equal(number(row, '1-1:31.7.0'), '5.4 A');
  t.equal(number(row, '1-1:32.7.0'), '231 V');
  const behind = telegram(decoded(inHdlc(kamstrup(VALUES, '6850100BN243101040'))));
  t.equal(number(behind, '1-1:31.7.0'), '0.54 A', 'a meter behind current transformers sends thousandths');

  const listed = telegram(decoded(concat(...inBlocks(landisGyr(VALUES)))));
  t.same(listed.meter, { id: '1900001', manufacturer: 'LGZ' });
  t.equal(number(listed, '1-0:31.7.0'), '5.4 A');
  t.equal(number(listed, '1-0:13.7.0'), '0.941');
  t.equal(number(listed, '1-0:199.7.0'), '7', 'an unknown code is kept, without a unit');

  const triples = telegram(decoded(inMbus(austrian(VALUES))));
  t.equal(triples.meter?.id, '181220000001');
  t.equal(number(triples, '1-0:13.7.0'), '0.968');
  t.equal(number(triples, '1-0:32.7.0'), '231 V');
});

test('lists without codes, known by their places', async (t) => {
  const clock = octets(encodeDateTime({ local: '2026-10-25T02:30:00', deviation_min: -60, status: 0 }));
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8].map(uint32);
  const vienna = telegram(decoded(inHdlc(notification(structure(clock, ...numbers)))));
  t.equal(number(vienna, '1-0:4.8.0'), '4 varh');
  t.equal(number(vienna, '1-0:1.7.0'), '5 W');
  t.equal(vienna.time, '2026-10-25T02:30:00+01:00', 'the second half past two of that night');
  const power = telegram(decoded(inHdlc(notification(structure(uint32(851))))));
  t.same(power.readings, [{ obis: '1-0:1.7.0*255', value: 851, unit: 'W' }]);
  const unknown = telegram(decoded(inHdlc(notification(structure(uint32(1), visible('x'), uint32(3))))));
  t.same(unknown.readings, [
    { name: 'item 1', value: 1 },
    { name: 'identification', text: 'x' },
    { name: 'item 3', value: 3 },
  ]);
});

test('an event-notification names the attribute of its value', async (t) => {
  const event = concat(hex('c2 00 0003 0100010700ff 02'), uint32(77));
  t.same(telegram(decoded(inHdlc(event))).readings, [{ obis: '1-0:1.7.0*255', value: 77, unit: 'W' }]);
});

/** The same push in everything that may carry it. */
const CARRIERS: readonly (readonly [string, (apdu: Uint8Array) => Uint8Array])[] = [
  ['HDLC', (apdu) => inHdlc(apdu)],
  ['HDLC segments', (apdu) => inHdlc(apdu, 60)],
  ['general block transfer', (apdu) => concat(...inBlocks(apdu))],
  ['M-Bus', (apdu) => inMbus(apdu, 100)],
  ['M-Bus with an overflowing length', (apdu) => inMbus(apdu, 253)],
  ['wrapper', (apdu) => encodeWrapper({ source: 1, destination: 103, apdu })],
  ['bare', (apdu) => apdu],
  ['LLC', (apdu) => concat(hex('e6e700'), apdu)],
];

test('carriers, in clear and ciphered', async (t) => {
  const apdu = kaifa(VALUES);
  const wanted = telegram(decoded(apdu)).readings;
  for (const [carrier, carry] of CARRIERS) {
    t.same(telegram(decoded(carry(apdu))).readings, wanted, carrier);
    for (const control of [0x20, 0x21, 0x30]) {
      const bytes = carry(ciphered(apdu, control));
      const keys = { key: KEY, ...(control === 0x30 && { authKey: AUTH_KEY }) };
      t.same(telegram(decoded(bytes, keys)).readings, wanted, `${carrier}, security control ${control}`);
      t.same(codes(decoded(bytes)), ['KEY_MISSING'], carrier);
    }
  }
  t.equal(Buffer.from(CARRIERS[4]?.[1](new Uint8Array(260)) ?? []).toString('hex', 0, 4), '68020268');
});

test('keys: wrong, missing, of another suite', async (t) => {
  const apdu = kaifa(VALUES);
  const wrong = KEY.map((b) => b ^ 1);
  const inWire = (control: number): Uint8Array => inHdlc(ciphered(apdu, control));
  t.same(codes(decoded(inWire(0x30), { key: wrong, authKey: AUTH_KEY })), ['BAD_AUTHENTICATION']);
  t.same(codes(decoded(inWire(0x30), { key: KEY, authKey: wrong })), ['BAD_AUTHENTICATION']);
  t.same(codes(decoded(inWire(0x20), { key: wrong })), ['KEY_WRONG']);
  t.same(codes(decoded(inWire(0x30), { key: wrong })), ['KEY_WRONG'], 'without authentication key');
  t.equal(telegram(decoded(inWire(0x30), { key: KEY })).readings.length, 18);
  t.same(codes(decoded(inWire(0xb0), { key: KEY, authKey: AUTH_KEY })), ['UNSUPPORTED'], 'compressed');
  t.same(codes(decoded(inHdlc(ciphered(apdu, 0x23)), { key: KEY })), ['UNSUPPORTED'], 'suite 3');
  t.same(codes(decoded(inHdlc(hex('dd 00')))), ['UNSUPPORTED'], 'general ciphering');
  t.same(codes(decoded(inHdlc(hex('ca 00')))), ['UNSUPPORTED'], 'glo-event-notification');
  t.same(codes(decoded(inHdlc(hex('c4 01 41 00 00')))), ['BAD_FRAME'], 'an answer is no push');
});

test('what is checked is not for the sender to say', async (t) => {
  const apdu = kaifa(VALUES);
  const both = { key: KEY, authKey: AUTH_KEY };
  for (const control of [0x00, 0x10])
    for (const keys of [{ key: KEY }, both])
      t.same(codes(decoded(inHdlc(ciphered(apdu, control)), keys)), ['NOT_ENCRYPTED'], `control ${control}`);
  const forged = '0001000100010025db084b414d11223344551a00ffffffff0f0000000000020209060100010700ff0600001234';
  t.same(decoded(hex(forged), both).telegrams, []);
  const genuine = ciphered(apdu);
  // Its tag cut off, and one bit of what is left turned over.
  const payload = genuine.slice(-(5 + apdu.length + 12), -12);
  payload[0] = 0x20;
  payload[payload.length - 1] = (payload.at(-1) ?? 0) ^ 1;
  const cut = concat(genuine.slice(0, 10), encodeLength(payload.length), payload);
  t.same(codes(decoded(inHdlc(cut), both)), ['BAD_AUTHENTICATION']);
  t.equal(decoded(inHdlc(cut), { key: KEY }).telegrams.length, 1, 'nothing else would tell');
});

test('the cut of the chunks does not matter', async (t) => {
  const lines: readonly [Uint8Array, number][] = [
    [concat(...[kaifa(VALUES), aidon(VALUES), kamstrup(VALUES)].map((apdu) => inHdlc(apdu, 80))), 3],
    [concat(...[austrian(VALUES), kaifa(VALUES)].map((apdu) => inMbus(apdu, 70))), 2],
    [concat(...inBlocks(landisGyr(VALUES), 90), inHdlc(aidon(VALUES))), 2],
  ];
  for (const [line, count] of lines) {
    const whole = JSON.stringify(readAll([line]));
    t.equal(readAll([line]).length, count);
    for (let at = 0; at <= line.length; at += 1)
      if (JSON.stringify(readAll([line.subarray(0, at), line.subarray(at)])) !== whole)
        t.fail(`cut at ${at}`);
    t.equal(JSON.stringify(readAll([...line].map((b) => Uint8Array.of(b)))), whole);
  }
});

function readAll(chunks: readonly Uint8Array[]): Telegram[] {
  const decoder = new PushDecoder();
  const out = [...chunks.flatMap((c) => [...decoder.push(c)]), ...decoder.end()];
  return out.flatMap((d) => {
    const read = d.ok ? readPush(d.frame) : d;
    return read.ok ? [read.value] : [];
  });
}

test('a push cut anywhere gives nothing; the one behind it is read', async (t) => {
  const next = inHdlc(aidon(VALUES));
  for (const [carrier, carry] of CARRIERS) {
    const framed = !['wrapper', 'bare', 'LLC'].includes(carrier);
    const line = carry(kaifa(VALUES));
    for (let at = 0; at < line.length; at++) {
      const head = decoded(line.subarray(0, at));
      if (head.telegrams.length > 0 || (at > 1 && head.faults.length === 0))
        t.fail(`${carrier}: cut at ${at}`);
      if (!framed) continue;
      const both = decoded(concat(line.subarray(0, at), next));
      if (!both.telegrams.some((r) => r.meter?.manufacturer === 'AID')) t.fail(`${carrier}: lost at ${at}`);
      // The opening flag of the next frame closes one that lacks nothing but its flag.
      const complete = line.at(-1) === 0x7e && at === line.length - 1;
      if (both.telegrams.length !== (complete ? 2 : 1)) t.fail(`${carrier}: values of a cut push, ${at}`);
      const tail = decoded(concat(line.subarray(at + 1), next));
      if (tail.telegrams.length !== 1) t.fail(`${carrier}: head lost before ${at}: ${tail.telegrams.length}`);
    }
    t.equal(decoded(line).telegrams.length, 1, carrier);
  }
});

test('a flipped bit under a checksum or a tag never gives values', async (t) => {
  const keys = { key: KEY, authKey: AUTH_KEY };
  const checked: readonly (readonly [string, Uint8Array])[] = [
    ['HDLC', inHdlc(kaifa(VALUES))],
    ['segments', inHdlc(kaifa(VALUES), 70)],
    ['blocks', concat(...inBlocks(kaifa(VALUES), 90))],
    ['M-Bus', inMbus(austrian(VALUES), 80)],
    ['ciphered, in a wrapper', encodeWrapper({ source: 1, destination: 1, apdu: ciphered(kaifa(VALUES)) })],
    ['ciphered, bare', ciphered(kaifa(VALUES))],
  ];
  for (const [carrier, line] of checked) {
    const wanted = JSON.stringify(decoded(line, keys).telegrams);
    for (let bit = 0; bit < line.length * 8; bit++) {
      const bad = Uint8Array.from(line);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { telegrams } = decoded(bad, keys);
      // Ports of a wrapper and the bits outside of checksums may change; values may not.
      if (telegrams.length > 0 && JSON.stringify(telegrams) !== wanted) t.fail(`${carrier}: bit ${bit}`);
    }
    t.ok(wanted.length > 100, carrier);
  }
});

test('a floating-point number that is none', async (t) => {
  for (const raw of ['177fc00000', '177f800000', '18fff0000000000000']) {
    const values = concat(hex('0203'), octets(hex('0100010800ff')), hex(raw), hex('02020f00161e'));
    const [scaled] = telegram(decoded(notification(values))).readings;
    t.match(scaled, { obis: '1-0:1.8.0*255', value: null, quality: 'invalid', reason: /infinite/ }, raw);
    const bare = concat(hex('0202'), octets(hex('0100010700ff')), hex(raw));
    t.match(telegram(decoded(notification(bare))).readings, [{ value: null, quality: 'invalid' }], raw);
  }
});

test('wrappers are believed again behind noise', async (t) => {
  const wrapper = encodeWrapper({ source: 1, destination: 103, apdu: kaifa(VALUES) });
  const sealed = encodeWrapper({ source: 1, destination: 103, apdu: ciphered(kaifa(VALUES)) });
  for (const line of [wrapper, sealed])
    for (const noise of ['aa', '00', '000102', 'db08', '7ea0ff', '0001000100010000']) {
      const decoder = new PushDecoder({ key: KEY });
      const count = (bytes: Uint8Array): number => [...decoder.push(bytes)].filter((d) => d.ok).length;
      t.equal(count(line), 1);
      t.equal(count(concat(hex(noise), line, line)) > 0, true, noise);
      t.equal(count(line), 1, `${noise}, then`);
      t.equal(count(concat(line.subarray(0, -1), line, line, line)) > 1, true, 'a byte was lost');
      t.equal(count(line), 1);
    }
  const decoder = new PushDecoder();
  t.equal(
    [...decoder.push(concat(hex('aa 0001 0001 0067 1fff'), inHdlc(kaifa(VALUES))))].filter((d) => d.ok)
      .length,
    1,
  );
});

test('damaged pieces: a gap, a swap, a repeat', async (t) => {
  const [one, two, three, ...rest] = inBlocks(landisGyr(VALUES), 90);
  if (!one || !two || !three) throw new Error('too few blocks');
  t.same(decoded(concat(one, three, two, ...rest)).telegrams, []);
  t.same(
    codes(decoded(concat(one, two, two, three, ...rest))),
    ['BAD_FRAME'],
    'one fault for the whole message',
  );
  t.same(decoded(concat(one, two, hex('5555'), three, ...rest)).telegrams, [], 'noise in between');
  const good = concat(one, two, three, ...rest);
  t.equal(
    decoded(concat(one, two, good)).telegrams.length,
    1,
    'a new message after two blocks of the old one',
  );
  const segment = (number: number, last: boolean) => encodeMbus({ number, last, data: hex('0f00') });
  t.same(codes(decoded(segment(0, false))), ['CUT_FRAME'], 'the last segment is missing');
  t.same(codes(decoded(segment(1, true))), ['BAD_FRAME'], 'the first one is');
});

test('HDLC frames: addresses, lengths, flags', async (t) => {
  const frame = (destination: string, source: string, information = '0102') => ({
    destination: hex(destination),
    source: hex(source),
    control: 0x13,
    segmented: false,
    information: hex(information),
  });
  for (const [a, b] of [
    ['03', '21'],
    ['0223', '21'],
    ['02042223', '0883'],
  ] as const) {
    const line = encodeHdlc(frame(a, b, '7e7d7ea0037e'));
    const scan = scanHdlc(line, 0, line.length);
    t.match(scan, { found: 'whole', length: line.length - 1 });
    if (scan.found === 'whole') t.same(scan.value, frame(a, b, '7e7d7ea0037e'));
    for (let end = 1; end < line.length; end++) t.equal(scanHdlc(line, 0, end).found, 'more');
  }
  const empty = encodeHdlc(frame('03', '21', ''));
  t.match(scanHdlc(empty, 0, empty.length), { found: 'whole', value: { information: new Uint8Array(0) } });
  const shared = concat(inHdlc(kaifa(VALUES)).slice(0, -1), inHdlc(kaifa(VALUES)));
  t.equal(decoded(shared).telegrams.length, 2, 'one flag closes a frame and opens the next');
  t.same(codes(decoded(hex('7ea00c0102011027a00201e7de7d7e'))).slice(0, 1), ['BAD_FRAME']);
  t.match(scanHdlc(hex('7ea0ff0204060810'), 0, 8), { found: 'bad', error: { code: 'BAD_FRAME' } });
});

test('A-XDR: every type, and everything that is too much', async (t) => {
  const read = (text: string, bounds = {}) => {
    const reader = new AxdrReader(hex(text), 0, bounds);
    return { data: reader.next(), fault: reader.fault?.code };
  };
  const values: readonly (readonly [string, unknown])[] = [
    ['00', undefined],
    ['0301', true],
    ['05fffffffe', -2],
    ['0600000102', 258],
    ['0d42', 42],
    ['0f80', -128],
    ['10fffe', -2],
    ['11ff', 255],
    ['12ffff', 65535],
    ['14fffffffffffffffe', -2],
    ['157fffffffffffffff', 9223372036854775807n],
    ['1605', 5],
    ['173fc00000', 1.5],
    ['183ff8000000000000', 1.5],
  ];
  for (const [text, value] of values) {
    const { data } = read(text);
    t.equal(data && 'value' in data ? data.value : undefined, value, text);
  }
  t.same(read('040ba5e0').data, { kind: 'bits', count: 11, bytes: hex('a5e0') });
  t.same(read('0c02c3a9').data, { kind: 'text', text: 'é' });
  t.same(read('0982000 161'.replace(' ', '')).data, { kind: 'octets', bytes: hex('61') });
  const rows = read('13 02 02 12 0f 06 0001ff 0002fe').data;
  t.same(rows, {
    kind: 'array',
    items: [
      {
        kind: 'structure',
        items: [
          { kind: 'integer', value: 1 },
          { kind: 'integer', value: -1 },
        ],
      },
      {
        kind: 'structure',
        items: [
          { kind: 'integer', value: 2 },
          { kind: 'integer', value: -2 },
        ],
      },
    ],
  });
  t.equal(read('13 01 0002 11 04 01020304').data?.kind, 'array', 'a compact array of arrays');
  t.equal(read(`${'0201'.repeat(40)}00`).fault, 'NESTED_TOO_DEEP');
  t.equal(read(`13${'0201'.repeat(40)}0000`).fault, 'NESTED_TOO_DEEP');
  t.equal(read('01 84 ffffffff 00').fault, 'CUT_FRAME');
  t.equal(read('09 84 7fffffff 00').fault, 'CUT_FRAME');
  t.equal(read('0102 0000', { elements: 2 }).fault, 'OVERSIZED');
  t.equal(read('13 00 01 00').fault, 'BAD_VALUE', 'elements without content never end');
  t.equal(read('0daa').fault, 'BAD_VALUE');
  t.equal(read('77').fault, 'BAD_VALUE');
  t.equal(read('0985').fault, 'BAD_VALUE', 'a length of five bytes');
  t.equal(Buffer.from(encodeLength(300)).toString('hex'), '82012c');
});

test('a floating-point number that its scaler makes infinite is no value', async (t) => {
  const data = { kind: 'float', value: 1e300 } as const;
  const item = { code: '1-0:1.8.0*255', data, scaling: { scaler: 30, unit: 30 } };
  const profile = profileOf({ texts: [], manufacturer: '', has: () => false });
  t.match(readingOf(item, 0, profile), { obis: '1-0:1.8.0*255', value: null, quality: 'invalid' });
});

test('date-time: deviation, daylight saving, what is not given', async (t) => {
  const show = (text: string): string | null => {
    const time = readDateTime(hex(text));
    return time && rfc3339(time);
  };
  t.equal(show('07ea0719060f1e0000ff8880'), '2026-07-25T15:30:00+02:00');
  t.equal(show('07ea0a19070200000 0ffc400'.replace(' ', '')), '2026-10-25T02:00:00+01:00');
  t.equal(show('07ea0a1907020000ff8000ff'), '2026-10-25T02:00:00', 'no deviation given');
  t.equal(show('07ea0719060f1e00ff007880'), '2026-07-25T15:30:00', 'the inverted sign of some makers');
  t.equal(show('07ea0719060f1effffffc400'), '2026-07-25T15:30:00+01:00', 'seconds not given');
  for (const bad of ['ffff0719060f1e0000800000', '07eafe19060f1e0000800000', '07ea02 1e060f1e0000800000'])
    t.equal(show(bad.replace(' ', '')), null, bad);
  t.equal(readDateTime(hex('313831323230303030303031')), null, 'twelve digits are no time');
  const time = { local: '2026-03-29T03:15:00', deviation_min: -120, status: 0x80 };
  t.same(readDateTime(encodeDateTime(time)), time);
});

test('noise: no crash, no value, bounded memory', async (t) => {
  const random = seededRandom(3).next;
  const decoder = new PushDecoder({ key: KEY, authKey: AUTH_KEY });
  const starts = ['7ea0', '68fafa68', '0001', 'db08', 'e6e7000f', '7ea8', '00', 'e040'].map(hex);
  let frames = 0;
  let faults = 0;
  for (let i = 0; i < 20_000; i++) {
    const start = starts[Math.floor(random() * starts.length)] ?? hex('');
    const chunk = concat(
      start,
      Uint8Array.from({ length: 40 }, () => Math.floor(random() * 256)),
    );
    for (const d of decoder.push(chunk)) {
      if (d.ok) frames++;
      else faults++;
    }
  }
  t.equal(frames, 0);
  t.ok(faults > 1000);
  const after = [...decoder.push(concat(new Uint8Array(20_000), inHdlc(kaifa(VALUES))))];
  t.equal(after.filter((d) => d.ok).length, 1, 'and the next good one is read');
  const body = kaifa(VALUES);
  for (let i = 0; i < 20_000; i++) {
    const mutant = Uint8Array.from(body);
    for (let k = 0; k < 3; k++) mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
    readPush({ apdu: mutant, checked: true, cipher: null });
  }
});

test('on a line bare messages count only where their tag proves them', async (t) => {
  const frames = (bytes: Uint8Array): number => {
    const decoder = new PushDecoder({ key: KEY, authKey: AUTH_KEY });
    return [...decoder.push(bytes)].filter((d) => d.ok).length;
  };
  const apdu = kaifa(VALUES);
  t.equal(frames(concat(hex('ffdb08'), ciphered(apdu), hex('00'), ciphered(apdu, 0x30, 8))), 2);
  t.equal(frames(ciphered(apdu, 0x20)), 0);
  t.equal(frames(apdu), 0);
});

test('published captures; one made here where there are none', async (t) => {
  t.equal(telegram(decoded(inHdlc(kaifa(VALUES)))).readings.length, 18);
  t.equal(misread('dlms-push'), '');
});
