/** `hearth decode --explain`: no byte of a telegram is left out, whatever the telegram is. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { joined, toHex } from '../../firmware/codecs/bytes.ts';
import { crc16X25 } from '../../firmware/codecs/crc16.ts';
import { encodeWrapper } from '../../firmware/codecs/dlms/wrapper.ts';
import type { ExplainedSection } from '../../firmware/codecs/explain.ts';
import { EXPLAIN_KINDS } from '../../firmware/codecs/kinds.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import { explanation } from '../../firmware/commands/decode.ts';
import type { DecodeInput } from '../../firmware/domain/telegram.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { aidon, austrian, inHdlc, inMbus, kaifa, VALUES } from '../twins/dlms-telegram.ts';
import { p1Telegram } from '../twins/p1-telegram.ts';
import {
  counterMode,
  formatA,
  formatB,
  hex,
  KAMSTRUP,
  mode5,
  mode7,
  wireless,
} from '../twins/wmbus-telegram.ts';

const KEY = hex('000102030405060708090A0B0C0D0E0F');
const RECORDS = hex('0413 E8030000 046D 1A0ECD13 4413 64000000 426C DF2C');
const SHORT = hex('7A2A000000');
const WIRED_BODY = joined(hex('08 01 72 78563412 2D2C 1B 07 2A 00 0000'), RECORDS, hex('0F AABB'));
const WIRED = joined(
  Uint8Array.of(0x68, WIRED_BODY.length, WIRED_BODY.length, 0x68),
  WIRED_BODY,
  Uint8Array.of(
    WIRED_BODY.reduce((sum, byte) => (sum + byte) & 255, 0),
    0x16,
  ),
);
/** An SML file of one close message, an escaped 1B1B1B1Bh in its transaction number. */
const SML_LINE = hex(
  '1B1B1B1B 01010101 76 05 1B1B1B1B 1B1B1B1B 6200 6200 72 630201 71 01 63 0000 00 1B1B1B1B 1A00',
);
const SML = joined(SML_LINE, Buffer.from(Uint16Array.of(crc16X25(SML_LINE)).buffer));
const P1 = p1Telegram({ wallMs: 0, importEnergy_Wh: 1000, exportEnergy_Wh: 0, net_W: 300 });
const DLMS_SEALED = inHdlc(
  encodeCiphered(kaifa(VALUES), {
    systemTitle: hex('4B464D1010000001'),
    securityControl: 0x30,
    invocationCounter: 7,
    key: KEY,
    authKey: KEY,
  }),
  80,
);
const CLEAR = wireless(KAMSTRUP, SHORT, RECORDS);
const COMPACT = wireless(KAMSTRUP, hex('79 0000 0000'), hex('E9030000'));

const explained = (kind: string, input: DecodeInput): readonly ExplainedSection[] =>
  EXPLAIN_KINDS[kind]?.(input) ?? [];
const hexOf = (section: ExplainedSection | undefined): string =>
  (section?.rows ?? []).map(({ bytes }) => toHex(bytes)).join('');
const means = (sections: readonly ExplainedSection[]): string[] =>
  sections.flatMap(({ rows }) => rows.map((row) => row.means));

test('each byte of the line is named, in order and once', async (t) => {
  const telegrams: [string, Uint8Array][] = [
    ['p1', P1],
    ['iec62056-21-readout', hex('2F4C475A34 0D0A 02 312E382E302831290D0A 210D0A 03 5A')],
    ['mbus', joined(hex('E5 00'), WIRED, hex('10 40 01 41 16'), WIRED.subarray(0, 9))],
    ['sml', joined(hex('FF 1B1B'), SML, SML.subarray(0, 13))],
    ['dlms-push', joined(hex('FF 7E 7E'), inHdlc(kaifa(VALUES), 60), inHdlc(aidon(VALUES)).subarray(0, 90))],
    ['dlms-push', joined(inMbus(austrian(VALUES), 100), hex('68 05'))],
    ['dlms-push', encodeWrapper({ source: 1, destination: 16, apdu: aidon(VALUES) })],
    ['dlms-push', aidon(VALUES)],
    ['dlms-push', DLMS_SEALED],
    ['wmbus', CLEAR],
    ['wmbus', COMPACT],
    ['wmbus', formatA(CLEAR)],
    ['wmbus', formatB(CLEAR)],
    ['wmbus', formatB(wireless(KAMSTRUP, SHORT, hex('0D7809'), new Uint8Array(160)))],
    ['wmbus', mode5(KAMSTRUP, KEY, 42, RECORDS)],
    ['wmbus', mode7(KAMSTRUP, KEY, 42, RECORDS)],
    ['wmbus', counterMode(KAMSTRUP, KEY, 42, joined(hex('78'), RECORDS))],
    ['wmbus', hex('05440000')],
  ];
  for (const [kind, bytes] of telegrams) {
    for (const key of [undefined, KEY]) {
      const [first] = explained(kind, { bytes, ...(key && { key }) });
      t.equal(hexOf(first), toHex(bytes), `${kind} ${toHex(bytes).slice(0, 40)}`);
    }
  }
});

test('what a key opens is named as well', async (t) => {
  const sealed = [
    mode5(KAMSTRUP, KEY, 42, RECORDS),
    mode7(KAMSTRUP, KEY, 42, RECORDS),
    counterMode(KAMSTRUP, KEY, 42, joined(hex('78'), RECORDS)),
  ];
  for (const bytes of sealed) {
    t.ok(means(explained('wmbus', { bytes, key: KEY })).includes('= 1 m3'), toHex(bytes));
    const without = means(explained('wmbus', { bytes }));
    t.notOk(without.includes('= 1 m3'));
    t.match(without.at(-1), /no key is configured/);
  }
});

test('a DLMS push field by field, in clear and deciphered', async (t) => {
  const [, clear] = explained('dlms-push', { bytes: inHdlc(aidon(VALUES), 60) });
  const named = (clear?.rows ?? []).map((row) => row.means);
  for (const text of ['data-notification', 'no time', 'OBIS 1-0:1.7.0', 'uint32 1234', 'enum 27'])
    t.ok(named.includes(text), text);
  t.equal(hexOf(clear), toHex(aidon(VALUES)), 'each byte of the joined message');
  const [, opened] = explained('dlms-push', { bytes: DLMS_SEALED, key: KEY, authKey: KEY });
  t.match(opened?.title, /system title 4b464d1010000001, counter 7, its tag matches/);
  t.equal(hexOf(opened), toHex(kaifa(VALUES)));
  const [, refused] = explained('dlms-push', { bytes: DLMS_SEALED });
  t.match(refused?.title, /no key is configured/);
  t.same(refused?.rows, []);
});

test('what the bytes mean', async (t) => {
  const wired = means(explained('mbus', { bytes: WIRED }));
  for (const text of [
    'identification 12345678',
    'manufacturer KAM',
    'record 0, DIF: 32-bit integer, present value',
    'VIF: volume, 10^-3 m3',
    '= 1 m3',
    'record 2, DIF: 32-bit integer, present value, storage 1',
    'checksum, right',
  ])
    t.ok(wired.includes(text), text);
  const sml = explained('sml', { bytes: SML });
  t.same(
    sml[0]?.rows.map((row) => row.means),
    [
      'start of a telegram, version 1',
      'messages, below',
      'an escaped 1B1B1B1Bh of the messages',
      'messages, below',
      'end, after 0 fill bytes',
      'checksum',
    ],
  );
  t.match(means(sml.slice(1)), ['list of 6', 'octets 1b1b1b1b', 'unsigned 0']);
  t.ok(means(explained('p1', { bytes: P1 })).includes('activeEnergyImport, tariff 1'));
});

test('a maker’s own block, field by field, deciphered where it must be', async (t) => {
  const masked = explained('wmbus', { bytes: hex('1944A511785634120778A2050A000039256BD1C6E4AE4CBB3999') });
  t.match(masked.at(-2), {
    title: 'by the profile of Diehl IZAR',
    rows: [
      { means: 'not known' },
      { means: 'total = 123.456 m3' },
      { means: 'target = 120 m3' },
      { means: 'targetDate = 2019-12-31' },
    ],
  });
  const block = explained('wmbus', { bytes: hex('15446850785634127462A2009F2FE803F00CEA000000') }).at(-2);
  t.equal(hexOf(block), '009f2fe803f00cea000000', 'every byte of the block');
});

test('noise is named too, and never a crash', async (t) => {
  const random = seededRandom(11);
  const noise = (length: number): Uint8Array =>
    new Uint8Array(length).map(() => Math.floor(random.next() * 256));
  let left = 0;
  for (let run = 0; run < 3_000; run++) {
    const bytes = joined(
      run % 2 ? hex('68 08 08 68 08 01 72') : hex('2B442D2C785634121B07'),
      noise(run % 60),
    );
    if (run % 2 === 0) {
      bytes[0] = bytes.length - 1;
      bytes[10] = [0x7a, 0x72, 0x8d, 0x8f, 0x90, 0x79, 0xa2, 0x6b][run % 8] ?? 0;
    }
    for (const kind of ['p1', 'mbus', 'wmbus', 'sml'])
      if (hexOf(explained(kind, { bytes })[0]) !== toHex(bytes)) left += 1;
  }
  t.equal(left, 0);
});

test('on a terminal: offset, bytes, meaning; a line that is none says so', async (t) => {
  const text = explanation(JSON.stringify({ id: 7, kind: 'wmbus', hex: toHex(CLEAR) }));
  t.match(text, /^7\n {2}as received\n/);
  t.match(text, / 0002 {2}2D 2C {32}sender: manufacturer KAM\n/);
  t.match(explanation('{'), /^BAD_VALUE: /);
  t.match(explanation('{"kind":"toString","hex":"00"}'), /^UNSUPPORTED: /);
});

const CORPUS = path.resolve(import.meta.dirname, '../../../shared/corpus/mbus');

test('real telegrams leave no byte out', async (t) => {
  const files = ['wired', 'wireless', 'wireless-encrypted', 'wireless-other', 'wireless-errors'];
  let named = 0;
  for (const file of files.map((name) => path.join(CORPUS, `${name}.jsonl`)).filter((f) => existsSync(f))) {
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const { id, hex: text, key } = JSON.parse(line) as { id: string; hex: string; key?: string | null };
      const bytes = hex(text);
      const kind = file.includes('wired') ? 'mbus' : 'wmbus';
      const [first] = explained(kind, { bytes, ...(key ? { key: hex(key) } : {}) });
      if (hexOf(first) !== toHex(bytes)) t.fail(`${id}: ${hexOf(first)} of ${toHex(bytes)}`);
      named += 1;
    }
  }
  t.ok(named === 0 || named > 200, `${named} telegrams`);
});
