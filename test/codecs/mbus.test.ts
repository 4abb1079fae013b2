/** M-Bus by cable and radio: telegrams made here, and the corpus of real ones where it lies beside the repository. */
import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { joined } from '../../firmware/codecs/bytes.ts';
import { cmac, deriveKey } from '../../firmware/codecs/mbus/crypto.ts';
import { decodeMbus } from '../../firmware/codecs/mbus/kind.ts';
import { crc13757 } from '../../firmware/codecs/wmbus/crc.ts';
import { decodeWmbus, WirelessMeter } from '../../firmware/codecs/wmbus/kind.ts';
import { meaningOf, parseObis } from '../../firmware/domain/obis.ts';
import type { DecodeOutput } from '../../firmware/domain/telegram.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { cbc, crcBytes, formatA, formatB, hex, KAMSTRUP, wireless } from '../twins/wmbus-telegram.ts';

const codeOf = (out: DecodeOutput): string | undefined => (out.telegrams.length ? 'OK' : out.faults[0]?.code);

// ---------- by cable ----------

const HEADER = '78563412 2D2C 1B 07 2A 00 0000';
const RECORDS = '0413 E8030000 04 6D 1A0ECD13 4413 64000000 426C DF2C';

function long(ci: string, payload: string, control = '08', address = '01'): Uint8Array {
  const body = hex(`${control}${address}${ci}${payload}`);
  const sum = body.reduce((total, byte) => (total + byte) & 0xff, 0);
  return joined(Uint8Array.of(0x68, body.length, body.length, 0x68), body, Uint8Array.of(sum, 0x16));
}

const WIRED = long('72', HEADER + RECORDS);

test('a wired frame: identity, time, records, readings with OBIS', async (t) => {
  const out = decodeMbus({ bytes: WIRED });
  t.same(out.faults, []);
  t.match(out.telegrams, [
    {
      meter: { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'water' },
      time: '2014-03-13T14:26',
      readings: [
        { obis: '8-0:1.0.0', name: 'total', value: 1, unit: 'm3' },
        { obis: '8-0:1.0.0*1', name: 'target', value: 0.1, unit: 'm3', time: '2022-12-31' },
      ],
      records: [
        { i: 0, value: 1 },
        { i: 1, time: '2014-03-13T14:26' },
        { i: 2, storage: 1 },
        { time: '2022-12-31' },
      ],
    },
  ]);
});

test('what is no value is null, with its reason', async (t) => {
  const records = '0C13 0000EE12 052B 0000C07F 426C 5E12 426C FFFF 0C06 FFFFFFFF 025A 0080';
  const [telegram] = decodeMbus({ bytes: long('72', HEADER + records) }).telegrams;
  t.match(telegram?.records, [
    { quantity: 'volume', value: null, unit: 'm3', quality: 'invalid', reason: /12EE0000/ },
    { quantity: 'power', value: null, quality: 'invalid', reason: /NaN/ },
    { quantity: 'date', value: null, reason: /no such date/ },
    { quantity: 'date', value: null, reason: /no date or time is set/ },
    { quantity: 'energy', value: null, unit: 'Wh', reason: /FFFFFFFF/ },
    { quantity: 'flowTemperature', value: -3276.8, quality: 'invalid', reason: /no value/ },
  ]);
  t.match(telegram?.readings, [{ obis: '8-0:1.0.0', value: null, quality: 'invalid', reason: /12EE0000/ }]);
});

test('registers that count backward, uncorrected, by quadrant or by tariff are not the total', async (t) => {
  const coded = (medium: string, records: string): unknown => {
    const header = HEADER.replace(/07 2A/, `${medium} 2A`);
    const [telegram] = decodeMbus({ bytes: long('72', header + records) }).telegrams;
    return telegram?.readings.map(({ obis, value }) => [obis, value]);
  };
  t.same(coded('07', '04933C 09000000 0413 64000000'), [['8-0:1.0.0', 0.1]], 'water that flowed back');
  t.same(coded('07', '04933C 09000000'), []);
  const cold = coded('0D', '04863C 40420F00 0406 80841E00');
  t.same(
    cold,
    [
      ['5-0:1.0.0', 1e9],
      ['6-0:1.0.0', 2e9],
    ],
    'cold of a meter for heat and cold',
  );
  t.same(coded('0D', '04943C 09000000'), []);
  t.same(coded('03', '04933A 64000000 0413 C8000000'), [['7-0:3.0.0', 0.2]], 'gas, uncorrected first');
  t.same(coded('03', '04933A 64000000'), [['7-0:3.0.0', 0.1]], 'and alone');
  t.same(coded('02', '0484FC0C 64000000 0404 3C000000'), [['1-0:1.8.0', 600]], 'import less export');
  t.same(coded('02', '04FB82FC08 64000000 04FB82FC0B 01000000'), [
    ['1-0:5.8.0', 1e5],
    ['1-0:8.8.0', 1e3],
  ]);
  t.same(coded('02', '0484FC10 64000000'), [], 'sum of the amounts of both directions');
  t.same(
    coded('04', '841006 E8030000 0406 D0070000'),
    [
      ['6-0:1.0.1', 1e6],
      ['6-0:1.0.0', 2e6],
    ],
    'tariff in E',
  );
  const heat = parseObis('6-0:1.0.1');
  t.match(heat && meaningOf(heat), { quantity: 'heatEnergy', tariff: 1 });
});

test('a wired frame cut or flipped anywhere gives no measurement', async (t) => {
  for (let length = 0; length < WIRED.length; length++) {
    const out = decodeMbus({ bytes: WIRED.subarray(0, length) });
    if (out.telegrams.length > 0 || out.faults.length === 0) t.fail(`accepted when cut to ${length}`);
  }
  for (let bit = 0; bit < WIRED.length * 8; bit++) {
    const bytes = Uint8Array.from(WIRED);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (decodeMbus({ bytes }).telegrams.length > 0) t.fail(`accepted with bit ${bit} flipped`);
  }
  t.equal(codeOf(decodeMbus({ bytes: WIRED })), 'OK');
});

test('frames in line traffic are found', async (t) => {
  const out = decodeMbus({
    bytes: joined(hex('E5 00 68 02'), WIRED, hex('E5'), WIRED, WIRED.subarray(0, 20)),
  });
  t.equal(out.telegrams.length, 2);
  t.ok(out.discarded > 0);
});

test('reports and mistakes of wired frames have their codes', async (t) => {
  const coded: [string, Uint8Array][] = [
    ['APPLICATION_ERROR', long('70', '08')],
    ['APPLICATION_ERROR', long('70', '')],
    ['WRONG_DIRECTION', long('51', '017A08', '53', 'FE')],
    ['CUT_FRAME', long('72', '78563412')],
    ['BAD_VALUE', long('72', `${HEADER}0413E803`)],
    ['BAD_FRAME', long('73', '00'.repeat(8))],
    ['UNSUPPORTED', long('76', HEADER)],
    ['NO_TELEGRAM', hex('E5')],
    ['KEY_MISSING', long('72', `78563412 2D2C 1B 07 2A 00 2005${'A7'.repeat(32)}`)],
  ];
  for (const [code, bytes] of coded)
    t.equal(codeOf(decodeMbus({ bytes })), code, Buffer.from(bytes).toString('hex'));
});

test('the fixed data structure', async (t) => {
  const out = decodeMbus({ bytes: long('73', '93929190 10 00 0569 31650000 69000000') });
  t.match(out.telegrams[0], {
    meter: { id: '90919293' },
    records: [
      { function: 'actual', value: 6_531_000, unit: 'Wh' },
      { function: 'actual', value: 0.069, unit: 'm3' },
    ],
  });
});

// ---------- by radio ----------

const KEY = hex('000102030405060708090A0B0C0D0E0F');
const OTHER = hex('0F0E0D0C0B0A09080706050403020100');
const ADDRESS = KAMSTRUP;

const link = (...layers: readonly Uint8Array[]): Uint8Array => wireless(ADDRESS, ...layers);

const CLEAR = joined(hex(`2F2F${RECORDS}`), new Uint8Array(8).fill(0x2f));

test('CRC and CMAC give the published values', async (t) => {
  t.equal(crc13757(Buffer.from('123456789')), 0xc2b7, 'check value of CRC-16/EN-13757');
  const key = hex('2b7e151628aed2a6abf7158809cf4f3c');
  const vectors: [string, string][] = [
    ['', 'bb1d6929e95937287fa37d129b756746'],
    ['6bc1bee22e409f96e93d7e117393172a', '070a16b46b4d4144f79bdd9dd04a287c'],
    [
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411',
      'dfa66747de9ae63030ca32611497c827',
    ],
  ];
  for (const [message, mac] of vectors)
    t.equal(Buffer.from(cmac(key, hex(message))).toString('hex'), mac, 'RFC 4493');
});

test('frame formats A and B are checked; a flipped bit gives nothing', async (t) => {
  const frame = link(hex('7A2A000000'), hex(RECORDS));
  for (const [name, bytes] of [
    ['none', frame],
    ['A', formatA(frame)],
    ['B', formatB(frame)],
  ] as const) {
    t.match(decodeWmbus({ bytes }).telegrams[0], { readings: [{ value: 1 }, { value: 0.1 }] }, name);
    for (let length = 0; length < bytes.length; length++) {
      const cut = decodeWmbus({ bytes: bytes.subarray(0, length) });
      if (cut.telegrams.length > 0) t.fail(`format ${name} accepted when cut to ${length}`);
    }
  }
  const bytes = formatA(frame);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (decodeWmbus({ bytes: flipped }).telegrams.length > 0) t.fail(`accepted with bit ${bit} flipped`);
  }
});

test('a CI field and an access number that look like the CRC of the link layer', async (t) => {
  const address = hex('9215 5E563412 0D 07');
  let accidents = 0;
  for (let access = 0; access < 256; access++) {
    const bytes = wireless(address, Uint8Array.of(0x7a, access, 0, 0, 0), hex(RECORDS));
    if (crcBytes(bytes.subarray(0, 10)).every((byte, k) => byte === bytes[10 + k])) accidents += 1;
    if (decodeWmbus({ bytes }).telegrams.length !== 1) t.fail(`access number ${access} is refused`);
  }
  t.equal(accidents, 1, 'this address and length have one such telegram');
});

test('mode 5: opened, no key, wrong key, already open, fewer blocks than payload', async (t) => {
  const iv = joined(ADDRESS, new Uint8Array(8).fill(0x2a));
  const blocks = CLEAR.length >> 4;
  const short = Uint8Array.of(0x7a, 0x2a, 0x00, blocks << 4, 0x05);
  const bytes = link(short, cbc(KEY, iv, CLEAR));
  t.equal(CLEAR.length % 16, 0);
  t.match(decodeWmbus({ bytes, key: KEY }).telegrams[0], { readings: [{ value: 1 }, { value: 0.1 }] });
  const missing = decodeWmbus({ bytes });
  t.equal(codeOf(missing), 'KEY_MISSING');
  t.match(missing.faults[0]?.message, /KAM 12345678/, 'says whose key');
  t.equal(codeOf(decodeWmbus({ bytes, key: OTHER })), 'KEY_WRONG');
  t.equal(codeOf(decodeWmbus({ bytes, key: KEY.subarray(0, 8) })), 'KEY_WRONG');
  t.match(decodeWmbus({ bytes: link(short, CLEAR) }).telegrams[0], {
    readings: [{ value: 1 }, { value: 0.1 }],
  });
  const one = Uint8Array.of(0x7a, 0x2a, 0x00, 0x10, 0x05);
  const partly = link(one, cbc(KEY, iv, CLEAR.subarray(0, 16)), CLEAR.subarray(16));
  t.match(decodeWmbus({ bytes: partly, key: KEY }).telegrams[0], {
    readings: [{ value: 1 }, { value: 0.1 }],
  });
});

test('mode 7: derived keys, and the authentication code is checked', async (t) => {
  const counter = hex('B30A0000');
  const id = ADDRESS.subarray(2, 6);
  const header = Uint8Array.of(0x7a, 0x75, 0x00, (CLEAR.length >> 4) << 4, 0x07, 0x10);
  const layer = joined(header, cbc(deriveKey(KEY, 0, counter, id), new Uint8Array(16), CLEAR));
  const mac = cmac(deriveKey(KEY, 1, counter, id), joined(hex('25'), counter, layer)).subarray(0, 8);
  const telegram = (code: Uint8Array): Uint8Array =>
    link(hex('8C2075'), hex('900F002C25'), counter, code, layer);
  t.match(decodeWmbus({ bytes: telegram(mac), key: KEY }).telegrams[0], {
    readings: [{ value: 1 }, { value: 0.1 }],
  });
  const forged = Uint8Array.from(mac, (byte, k) => (k === 7 ? byte ^ 1 : byte));
  t.equal(codeOf(decodeWmbus({ bytes: telegram(forged), key: KEY })), 'BAD_AUTHENTICATION');
  t.equal(codeOf(decodeWmbus({ bytes: telegram(mac), key: OTHER })), 'KEY_WRONG');
  t.equal(codeOf(decodeWmbus({ bytes: telegram(mac) })), 'KEY_MISSING');
});

test('mode 7 without an authentication code that proves something is never secured', async (t) => {
  const forged = hex('1d442d2c78563412010490060008ffffffff7a2a000007100c1399999999');
  const opened = new WirelessMeter(KEY).open(forged);
  t.match(opened, { ok: true, value: { secured: false } }, 'no blocks and no code: in clear');
  const called = Uint8Array.from(forged, (byte, k) => (k === 21 ? 0x10 : byte));
  t.equal(codeOf(decodeWmbus({ bytes: called, key: KEY })), 'BAD_AUTHENTICATION', 'a block, but no code');
  const twoBytes = link(hex('9009002C23 FFFFFFFF 0000'), hex('7A2A0000071023'), hex('0C1399999999'));
  t.equal(codeOf(decodeWmbus({ bytes: twoBytes, key: KEY })), 'BAD_AUTHENTICATION', 'two bytes are guessed');
  const [counter, layer] = [hex('07000000'), joined(hex('7A2A00000710'), hex(RECORDS))];
  const macKey = deriveKey(KEY, 1, counter, ADDRESS.subarray(2, 6));
  const code = cmac(macKey, joined(hex('25'), counter, layer)).subarray(0, 8);
  const vouched = link(hex('900F002C25'), counter, code, layer);
  t.match(new WirelessMeter(KEY).open(vouched), { ok: true, value: { secured: true } }, 'in clear, with one');
  t.equal(codeOf(decodeWmbus({ bytes: vouched, key: OTHER })), 'BAD_AUTHENTICATION');
});

test('extended link layer: counter mode, payload CRC, a hop bit set on the way', async (t) => {
  const session = hex('60000020');
  const inner = joined(hex('78'), hex(RECORDS));
  const crc = crcBytes(inner);
  const clear = joined(Uint8Array.of(crc[1] ?? 0, crc[0] ?? 0), inner);
  const iv = joined(ADDRESS, hex('20'), session, new Uint8Array(3));
  const sealed = createCipheriv('aes-128-ctr', KEY, iv).update(clear);
  for (const control of ['20', '30', '32']) {
    const bytes = link(hex(`8D${control}11`), session, sealed);
    t.match(
      decodeWmbus({ bytes, key: KEY }).telegrams[0],
      { readings: [{ value: 1 }, { value: 0.1 }] },
      control,
    );
  }
  const bytes = link(hex('8D2011'), session, sealed);
  t.equal(codeOf(decodeWmbus({ bytes, key: OTHER })), 'KEY_WRONG');
  t.equal(codeOf(decodeWmbus({ bytes })), 'KEY_MISSING');
  t.match(decodeWmbus({ bytes: link(hex('8D2011'), session, clear) }).telegrams[0], {
    readings: [{ value: 1 }, { value: 0.1 }],
  });
  const plain = link(
    hex('8D2011'),
    hex('60000000'),
    clear.map((byte, k) => (k === 9 ? byte ^ 4 : byte)),
  );
  t.equal(codeOf(decodeWmbus({ bytes: plain })), 'BAD_CHECKSUM');
});

test('compact frames need the format of an earlier full frame', async (t) => {
  const full = hex(RECORDS);
  const headers = hex('0413 046D 4413 426C');
  const le = (crc: number): Uint8Array => Uint8Array.of(crc & 255, crc >> 8);
  const data = hex('E9030000 1A0ECD13 64000000 DF2C');
  const expanded = hex('0413E9030000 046D1A0ECD13 441364000000 426CDF2C');
  const compact = link(hex('79'), le(crc13757(headers)), le(crc13757(expanded)), data);
  t.equal(codeOf(decodeWmbus({ bytes: compact })), 'UNKNOWN_FORMAT');
  const out = decodeWmbus({ bytes: compact, preceding: [link(hex('78'), full)] });
  t.match(out.telegrams[0], { readings: [{ value: 1.001 }, { value: 0.1 }] });
  const meter = new WirelessMeter(null);
  meter.read(link(hex('78'), full));
  const wrong = Uint8Array.from(compact, (byte, k) => (k === compact.length - 3 ? byte ^ 1 : byte));
  t.match(meter.read(wrong), { ok: false, error: { code: 'BAD_CHECKSUM' } });
});

test('foreign modes and odd telegrams: doubtful, refused, or without values', async (t) => {
  const unreal = decodeWmbus({ bytes: link(hex('7A2A00101D'), hex(RECORDS)) });
  t.match(unreal.telegrams[0], { readings: [{ value: 1, quality: 'doubtful' }, { quality: 'doubtful' }] });
  t.equal(codeOf(decodeWmbus({ bytes: link(hex('7A2A00000D00'), hex(RECORDS)) })), 'UNSUPPORTED');
  t.match(decodeWmbus({ bytes: link(hex('A2000000')) }).telegrams[0], {
    readings: [],
    records: [{ hex: '000000' }],
  });
  t.equal(codeOf(decodeWmbus({ bytes: new Uint8Array(600) })), 'OVERSIZED');
  t.equal(codeOf(decodeWmbus({ bytes: hex('05440000') })), 'BAD_FRAME');
});

test('seeded noise by radio and cable is refused or read, never a crash', async (t) => {
  const { next } = seededRandom(7);
  let answers = 0;
  for (let run = 0; run < 20_000; run++) {
    const bytes = joined(
      link(),
      new Uint8Array(Math.floor(next() * 80)).map(() => Math.floor(next() * 256)),
    );
    bytes[0] = bytes.length - 1;
    if (run % 3 === 0) bytes[10] = [0x7a, 0x72, 0x8d, 0x90, 0x79, 0xa2, 0x6b][run % 7] ?? 0;
    const out = decodeWmbus({ bytes, ...(run % 2 ? { key: KEY } : {}) });
    decodeMbus({ bytes });
    answers += out.telegrams.length + out.faults.length;
  }
  t.equal(answers, 20_000, 'each telegram has one answer');
});

// ---------- real telegrams ----------

const SHARED = path.resolve(import.meta.dirname, '../../../shared');
const SCORER = path.join(SHARED, 'tools/score-decode.mjs');
const CORPUS = path.join(SHARED, 'corpus/mbus');
const DECODE = `
  import { createInterface } from 'node:readline';
  const [{ decodeMbus }, { decodeWmbus }] = await Promise.all(
    ['mbus', 'wmbus'].map((room) => import(process.env.ROOT + '/firmware/codecs/' + room + '/kind.ts')));
  const bytes = (text) => Buffer.from(text, 'hex');
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, kind, hex, key, preceding = [] } = JSON.parse(line);
    const input = { bytes: bytes(hex), preceding: preceding.map(bytes), ...(key ? { key: bytes(key) } : {}) };
    const { telegrams, faults } = kind === 'mbus' ? decodeMbus(input) : decodeWmbus(input);
    console.log(JSON.stringify(telegrams.length ? { id, ok: true, telegrams } : { id, ok: false, error: faults[0] }));
  }`;

/** Cases that must pass of each file; more is better, fewer is a step back. */
const REACHED: Readonly<Record<string, number>> = {
  wired: 66,
  'wired-errors': 11,
  'wired-named': 15,
  wireless: 144,
  'wireless-encrypted': 57,
  'wireless-errors': 8,
  'wireless-other': 26,
};

test('real telegrams decode as established decoders read them', async (t) => {
  if (!existsSync(SCORER) || !existsSync(CORPUS)) {
    t.match(
      decodeMbus({ bytes: WIRED }).telegrams.length,
      1,
      'no corpus here: only what is made in this file',
    );
    return;
  }
  const root = path.resolve(import.meta.dirname, '../..');
  const command = [SCORER, CORPUS, '--json', '--', process.execPath, '--input-type=module', '-e', DECODE];
  const run = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    env: { ...process.env, ROOT: root },
    maxBuffer: 1e8,
  });
  const { files } = JSON.parse(run.stdout) as { files: Record<string, { passed: number }> };
  for (const [name, passed] of Object.entries(REACHED)) {
    t.ok((files[name]?.passed ?? 0) >= passed, `${name}: ${files[name]?.passed} of at least ${passed}`);
  }
});
