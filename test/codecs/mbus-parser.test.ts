/** The native parser alone, as it runs here: scripts/prebuild-mbus-parser.ts runs these tests for every board. */
import { test } from 'tap';
import { MODIFIER, type Parsed, type ParsedRecord, parse } from '../../firmware/codecs/mbus-parser/index.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { hex } from '../twins/wmbus-telegram.ts';

const only = (text: string): ParsedRecord | undefined => parse(hex(text)).records[0];

test('every data field and many VIFs read as the standard says', async (t) => {
  const numbers: [string, string, number, string][] = [
    ['01 03 81', 'energy', -127, 'Wh'],
    ['02 13 FFFF', 'volume', -0.001, 'm3'],
    ['02 5A 0180', 'flowTemperature', -3276.7, 'C'],
    ['02 84FC11 0080', 'energy', 327_680, 'Wh'],
    ['02 06 E803', 'energy', 1_000_000, 'Wh'],
    ['03 13 FFFFFF', 'volume', -0.001, 'm3'],
    ['04 0E 01000000', 'energy', 1_000_000, 'J'],
    ['05 2B 0000803F', 'power', 1, 'W'],
    ['06 2B 010000000000', 'power', 1, 'W'],
    ['07 2B FFFFFFFFFFFFFFFF', 'power', -1, 'W'],
    ['09 5B 21', 'flowTemperature', 21, 'C'],
    ['0A 5A 34F1', 'flowTemperature', -13.4, 'C'],
    ['0B 3B 563412', 'volumeFlow', 123.456, 'm3/h'],
    ['0C 13 15000000', 'volume', 0.015, 'm3'],
    ['0E 04 563412000000', 'energy', 1_234_560, 'Wh'],
    ['0D 13 C2 3412', 'volume', 1.234, 'm3'],
    ['0D 13 D2 3412', 'volume', -1.234, 'm3'],
    ['02 FD48 FC08', 'voltage', 230, 'V'],
    ['02 FD59 1000', 'current', 0.016, 'A'],
    ['02 FB1B 2C00', 'humidity', 44, '%'],
    ['04 FB01 01000000', 'energy', 1_000_000, 'Wh'],
    ['02 69 6600', 'pressure', 102_000, 'Pa'],
    ['02 FD74 0100', 'batteryLife', 86_400, 's'],
    ['04 9374 01000000', 'volume', 0.00001, 'm3'],
    ['01 FC 03 485225 74 FF', 'humidity', -0.01, '%'],
    ['04 40 01000000', 'volumeFlow', 6e-6, 'm3/h'],
  ];
  for (const [bytes, quantity, value, unit] of numbers) {
    const record = only(bytes);
    t.match(record, { kind: 'number', quantity, unit }, bytes);
    t.ok(record && Math.abs(record.value - value) <= 1e-12 * Math.abs(value), `${bytes}: ${record?.value}`);
  }
});

test('VIFE behind FCh: phases, quadrants, unsigned data; the rest is no plain quantity', async (t) => {
  const derived = ['0C', '0D', '10', '12', '13', '7F'];
  for (const vife of derived)
    t.match(only(`04 84FC${vife} 64000000`), { modifiers: MODIFIER.derived }, `FC ${vife}`);
  t.match(only('04 FB82FC08 64000000'), { quantity: 'reactiveEnergy', phase: 8, modifiers: 0 });
  t.match(only('04 FB82FC0B 64000000'), { phase: 11, modifiers: 0 });
  t.match(only('04 84FC01 64000000'), { phase: 1, modifiers: 0 });
  t.match(only('04 84FC81FC08 64000000'), { modifiers: MODIFIER.derived }, 'a phase and a quadrant');
  t.match(only('02 84FC11 00FF'), { value: 652_800, modifiers: MODIFIER.unsigned });
  t.match(only('04 933A 64000000'), { value: 0.1, modifiers: MODIFIER.uncorrected });
});

test('dates and times, and what marks them invalid', async (t) => {
  const times: [string, string, string][] = [
    ['02 6C DF2C', 'date', '2022-12-31'],
    ['04 6D 1A0ECD13', 'minute', '2014-03-13T14:26'],
    ['06 6D 2D1A0ECD1300', 'second', '2014-03-13T14:26:45'],
    ['03 6D 2D1A0E', 'clock', '14:26:45'],
    ['04 6D 000E0151', 'minute', '2040-01-01T14:00'],
    ['04 6D 002E0151', 'minute', '2040-01-01T14:00'],
  ];
  for (const [bytes, kind, text] of times) t.match(only(bytes), { kind, text, quality: 'good' }, bytes);
  const marked: [string, string][] = [
    ['04 6D 9A0ECD13', '2014-03-13T14:26'],
    ['06 6D 2D9A0ECD1300', '2014-03-13T14:26:45'],
  ];
  for (const [bytes, text] of marked) t.match(only(bytes), { text, quality: 'doubtful' }, bytes);
  const invalid = ['02 6C 0000', '02 6C FFFF', '02 6C 5E12', '04 6D 3F0ECD13', '04 6D 80000000'];
  for (const bytes of invalid) t.match(only(bytes), { kind: 'invalid', quality: 'invalid', text: '' }, bytes);
});

test('what is no number is none', async (t) => {
  for (const bytes of ['0A 5A BBBB', '0C 13 00A00000', '05 2B 0000C07F', '05 2B 0000807F']) {
    t.match(only(bytes), { kind: 'invalid', quality: 'invalid', value: 0 }, bytes);
  }
  const unset = ['01 03 80', '02 5A 0080', '03 13 000080', '04 13 00000080', '07 13 0000000000000080'];
  for (const bytes of unset) t.match(only(bytes), { kind: 'number', quality: 'invalid' }, bytes);
  t.match(only('01 FD08 80'), { quality: 'good', value: -128 }, 'a bare number has no such mark');
  t.match(only('00 13'), { kind: 'nothing' });
  t.match(only('0D FD11 03 434241'), { kind: 'text', text: 'ABC' });
  t.match(only('0D FD11 03 434201'), { kind: 'binary', text: '' }, 'control characters are no text');
});

test('DIFE: storage, tariff, subunit, function; special DIFs', async (t) => {
  t.match(only('8440 13 01000000'), { storage: 0, subunit: 1, function: 'inst' });
  t.match(only('D4FF3F 13 01000000'), {
    storage: 1 + 15 * 2 + 15 * 32,
    tariff: 15,
    subunit: 1,
    function: 'max',
  });
  const { records, stop } = parse(hex('2F2F 016B01 2F 0F AABB'));
  t.equal(stop, 'end');
  t.match(records, [{ quantity: 'pressure' }, { function: 'mfct', dataStart: 7, dataLength: 2 }]);
  t.match(only('1F'), { function: 'more', dataLength: 0 });
});

test('limits: DIFE, VIFE, records, size, texts', async (t) => {
  t.equal(parse(hex(`81${'80'.repeat(9)}00 13 01`)).stop, 'end', '10 DIFE');
  t.equal(parse(hex(`81${'80'.repeat(10)}00 13 01`)).stop, 'too-many-dife');
  t.equal(parse(hex(`01 93${'BA'.repeat(9)}3A 01`)).stop, 'end', '10 VIFE');
  t.equal(parse(hex(`01 93${'BA'.repeat(10)}3A 01`)).stop, 'too-many-vife');
  t.equal(parse(hex('01 FC F3 41')).stop, 'text-too-long');
  t.equal(parse(hex('0D 13 F7 00')).stop, 'bad-length');
  t.match(parse(hex('0013'.repeat(257))), { stop: 'too-many-records', records: { length: 256 } });
  t.equal(parse(new Uint8Array(4097)).stop, 'oversized');
  t.equal(parse(hex('00'), true).stop, 'bad-fixed');
});

test('seeded noise never crashes the parser nor breaks its promises', async (t) => {
  const { next } = seededRandom(20_260_421);
  let records = 0;
  let broken = 0;
  for (let run = 0; run < 100_000; run++) {
    const bytes = new Uint8Array(Math.floor(next() * 48));
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(next() * 256);
    const parsed = parse(bytes, run % 16 === 0);
    for (const r of parsed.records) {
      records += 1;
      if (r.dataStart + r.dataLength > bytes.length || !Number.isFinite(r.value)) broken += 1;
      const marked = bytes[r.dataStart + r.dataLength - 1] === 0x80;
      if (r.kind === 'number' && r.quality === 'invalid' && !marked) broken += 1;
    }
  }
  t.equal(broken, 0);
  t.ok(records > 50_000, `${records} records`);
});

/** Bytes that a walk has read, if it reads none twice; more when it does. */
function bytesRead({ records }: Parsed): number {
  let read = 0;
  let last = -1;
  for (const { start, headerEnd, dataLength } of records) {
    read += start > last ? headerEnd - start + dataLength : Number.POSITIVE_INFINITY;
    last = start;
  }
  return read;
}

test('time and memory are bounded by the length of a telegram, whatever is in it', async (t) => {
  const fill = (pattern: string): Uint8Array =>
    hex(pattern.repeat(Math.floor(8192 / pattern.replace(/ /g, '').length)));
  const hostile = [
    '00 13', // as many records as there can be
    '2F', // nothing but filler
    `81 ${'80'.repeat(9)} 00 93 ${'BA'.repeat(9)} 3A FF`, // the longest headers
    '01 FC 10 2548522548522548522548522548522548 74 00', // names that are searched for a unit
    '0D 13 BF', // the longest texts
    '0E 06 999999999999', // digits
    '06 6D 3B3B17DF2C00', // times
    '0F', // one block of the manufacturer
  ];
  for (const pattern of hostile) {
    const payload = fill(pattern).subarray(0, 4096);
    const parsed = parse(payload);
    t.ok(parsed.records.length <= 256, `${parsed.records.length} records of ${pattern.slice(0, 20)}`);
    t.ok(bytesRead(parsed) <= payload.length, `${bytesRead(parsed)} bytes read, none twice`);
    const text = parsed.records.reduce(
      (sum, r) => sum + r.name.length + (r.kind === 'text' ? r.text.length : 0),
      0,
    );
    t.ok(text <= payload.length, 'texts are no longer than the telegram');
  }
  const { next } = seededRandom(4096);
  let twice = 0;
  for (let run = 0; run < 2_000; run++) {
    const payload = Uint8Array.from({ length: 512 }, () => Math.floor(next() * 256));
    if (bytesRead(parse(payload)) > payload.length) twice += 1;
  }
  t.equal(twice, 0);
});
