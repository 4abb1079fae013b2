/** Every product profile reads its own telegrams, and nothing into a cut or foreign one. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { PROFILES } from '../../firmware/codecs/mbus/profiles/index.ts';
import type { Example, Profile } from '../../firmware/codecs/mbus/profiles/profile.ts';
import { decodeWmbus } from '../../firmware/codecs/wmbus/kind.ts';
import type { DecodeOutput, Reading } from '../../firmware/domain/telegram.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const decoded = ({ key }: Example, bytes: Uint8Array): DecodeOutput =>
  decodeWmbus({ bytes, ...(key === undefined ? {} : { key: hex(key) }) });

const FOLDER = path.resolve(import.meta.dirname, '../../firmware/codecs/mbus/profiles');

test('each profile of the folder is listed and brings a telegram', async (t) => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'index.ts')) {
    const module = (await import(path.join(FOLDER, file))) as Record<string, Partial<Profile>>;
    for (const [name, value] of Object.entries(module)) {
      if (value?.products) t.ok(PROFILES.includes(value as Profile), `${name} of ${file} is in the list`);
    }
  }
  for (const { name, products, examples } of PROFILES) {
    t.ok(examples.length > 0, `${name} has an example`);
    for (const product of products) t.match(product, /^[A-Z]{3}\/([0-9A-F]{2}|\*)\/([0-9A-F]{2}|\*)$/, name);
  }
});

test('each profile reads its telegrams', async (t) => {
  for (const { name, examples } of PROFILES) {
    for (const example of examples) {
      const out = decoded(example, hex(example.telegram));
      const [telegram] = out.telegrams;
      if (!telegram) {
        t.fail(`${name}: ${out.faults[0]?.message}`);
        continue;
      }
      for (const [field, value] of example.readings) {
        const readings = telegram.readings.filter((r) => r.name === field);
        const found = [...readings, ...(telegram.records ?? []).filter((r) => r.quantity === field)];
        const shown = found.map((r) => (r.value === undefined ? r.time : r.value));
        t.ok(shown.includes(value), `${name}: ${field} is ${value}, in ${shown.join(', ')}`);
      }
    }
  }
});

test('a telegram cut anywhere gives only what is whole, and no crash', async (t) => {
  const shownAs = ({ name, value, time }: Reading): string => `${name} ${value ?? time}`;
  for (const { name, examples } of PROFILES) {
    for (const example of examples) {
      const whole = hex(example.telegram);
      const all = new Set(decoded(example, whole).telegrams.flatMap(({ readings }) => readings.map(shownAs)));
      const invented = new Set<string>();
      for (let length = 11; length < whole.length; length++) {
        const cut = Uint8Array.from(whole.subarray(0, length));
        cut[0] = length - 1;
        for (const reading of decoded(example, cut).telegrams.flatMap(({ readings }) => readings))
          if (!all.has(shownAs(reading)) && reading.value !== null) invented.add(shownAs(reading));
      }
      t.same([...invented], [], name);
    }
  }
});

test('a maker’s own cipher: no key and a wrong one are told apart', async (t) => {
  const codeOf = (out: DecodeOutput): string | undefined => out.faults[0]?.code;
  const [na1] = PROFILES.find(({ name }) => name === 'Apator NA-1')?.examples ?? [];
  t.equal(codeOf(decodeWmbus({ bytes: hex(na1?.telegram ?? '') })), 'KEY_MISSING');
  const [izar] = PROFILES.find(({ name }) => name === 'Diehl IZAR')?.examples ?? [];
  const masked = hex(izar?.telegram ?? '');
  masked[15] = (masked[15] ?? 0) ^ 1;
  t.equal(codeOf(decodeWmbus({ bytes: masked })), 'KEY_MISSING', 'no default key of the maker opens it');
  t.equal(codeOf(decodeWmbus({ bytes: masked, key: hex('0102030405060708') })), 'KEY_WRONG');
});

test('no value is null, never a number', async (t) => {
  const hydrodigit = PROFILES.find(({ name }) => name === 'B Meters Hydrodigit')?.examples[0];
  const [telegram] = decodeWmbus({ bytes: hex(hydrodigit?.telegram ?? '') }).telegrams;
  t.match(
    telegram?.readings.find((r) => r.name === 'month12'),
    { value: null, quality: 'missing' },
  );
});

test('alarms of a maker’s own header are named, past ones apart', async (t) => {
  const [telegram] = decodeWmbus({
    bytes: hex('1944A511785634120778A2058A890040FF9633B28EC3DEC6A11C'),
  }).telegrams;
  const texts = telegram?.readings.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text]]));
  t.same(texts, [
    ['alarm', 'leakage, backflow, sensor fraud'],
    ['pastAlarm', 'mechanical fraud'],
  ]);
  const [quiet] = PROFILES.find(({ name }) => name === 'Diehl IZAR')?.examples ?? [];
  const [calm] = decodeWmbus({ bytes: hex(quiet?.telegram ?? '') }).telegrams;
  t.notOk(
    calm?.readings.some(({ name }) => name === 'alarm'),
    'nothing said when all is well',
  );
});

test('an allocator without sensors shows no temperature; smoke is named', async (t) => {
  const readingsOf = (telegram: string) => decodeWmbus({ bytes: hex(telegram) }).telegrams[0]?.readings ?? [];
  const old = readingsOf('17446850785634126480A0119F2FE803F00CEA0066086009');
  t.notOk(
    old.some(({ quantity }) => quantity === 'temperature'),
    'version 64h has none, whatever stands there',
  );
  const detector = (state: string) => `214468507856341276F0A0${state}9F2F${'00'.repeat(20)}`;
  const alarms = (state: string) => readingsOf(detector(state)).flatMap(({ text }) => text ?? []);
  t.same([alarms('00'), alarms('01'), alarms('70')], [[], ['smoke'], []]);
});

test('a value with a date beside it carries it', async (t) => {
  const [izar] = PROFILES.find(({ name }) => name === 'Diehl IZAR')?.examples ?? [];
  const [telegram] = decodeWmbus({ bytes: hex(izar?.telegram ?? '') }).telegrams;
  t.match(
    telegram?.readings.find(({ name }) => name === 'target'),
    { obis: '8-0:1.0.0*1', value: 120, unit: 'm3', time: '2019-12-31' },
  );
});
