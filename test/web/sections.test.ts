/** What the sections of the page say, without a server: meters in a household's units, storage, plan. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { fault } from '../../firmware/domain/errors.ts';
import type { HousePlan } from '../../firmware/domain/house-plan.ts';
import { MeterSeat } from '../../firmware/gateway/meter-seat.ts';
import { displayed } from '../../firmware/web/displayed.ts';
import { journalSentence } from '../../firmware/web/journal-words.ts';
import { labelOf, meterCard } from '../../firmware/web/meters.ts';
import { planSentences } from '../../firmware/web/plan-words.ts';
import { heardView, trialSentence } from '../../firmware/web/radio.ts';
import { storageNotices } from '../../firmware/web/storage-words.ts';
import { MIDNIGHT, NOON } from './clock.ts';
import { STORAGE } from './home.ts';

test('values in the units of a household', async (t) => {
  for (const [quantity, value, unit, expected] of [
    ['activeEnergyImport', 4_211_734, 'Wh', '4,211.7 kWh'],
    ['heatEnergy', 18_342_000, 'Wh', '18,342.0 kWh'],
    ['volume', 412.506, 'm3', '412.506 m³'],
    ['volumeFlow', 0.3, 'm3/h', '300 l/h'],
    ['volumeFlow', 1.25, 'm3/h', '1.25 m³/h'],
    ['activePowerImport', 640, 'W', '640 W'],
    ['activePower', -2400, 'W', '-2.40 kW'],
    ['activePower', -0.2, 'W', '0 W'],
    ['flowTemperature', 46.7, 'C', '46.7 °C'],
    ['pressure', 210_000, 'Pa', '2.10 bar'],
    ['batteryRemaining', 8 * 365.25 * 86_400, 's', '8.0 years'],
    ['duration', 90_000, 's', '25 hours'],
    ['clockDrift', -12, 's', '-12 s'],
    ['powerFailures', 3, '', '3'],
    ['volume', null, 'm3', '–'],
    ['volume', Number.NaN, 'm3', '–'],
    ['activePower', Number.POSITIVE_INFINITY, 'W', '–'],
    ['other', 7.5, 'furlong', '7.5 furlong'],
  ] as const)
    t.equal(displayed(quantity, value, unit), expected, `${quantity} ${value} ${unit}`);
});

test('the main values come first; a total makes details of its tariffs', async (t) => {
  const value = (point: string, unit = 'Wh') => ({ point, value: 1, unit });
  const card = meterCard({
    ...{ id: 'g', name: 'Grid', health: 'ok', lastMs: null, faults: { TIMEOUT: 2, BAD_CHECKSUM: 5 } },
    values: [
      value('g/voltage/L1', 'V'),
      value('g/activePowerImport/L1', 'W'),
      value('g/activeEnergyImport/T1'),
      value('g/activeEnergyExport/T2'),
      value('g/volume/C1', 'm3'),
      value('g/frequency', 'Hz'),
      value('g/activeEnergyImport'),
    ],
  });
  t.same(
    card.values.map(({ point, group }) => [point, group]),
    [
      ['g/activeEnergyImport', 'main'],
      ['g/activeEnergyExport/T2', 'main'],
      ['g/volume/C1', 'behind'],
      ['g/activeEnergyImport/T1', 'tariffs'],
      ['g/activePowerImport/L1', 'phases'],
      ['g/voltage/L1', 'phases'],
      ['g/frequency', 'more'],
    ],
  );
  t.same(
    card.faults.map(({ code }) => code),
    ['BAD_CHECKSUM', 'TIMEOUT'],
  );
  t.equal(labelOf('g/volume/C1'), 'Meter 1 behind it · Volume');
  t.equal(labelOf('g/activePowerImport/L1/T2'), 'Power from the grid · phase 1 · tariff 2');
});

test('what a meter noted stands until the meter says it is over', async (t) => {
  const seat = new MeterSeat('w', 'Water', 'sub');
  const notes = (): string[] => meterCard(seat.view()).notes;
  t.same(notes(), []);
  const flag = (code: 'BATTERY_LOW' | 'BATTERY_GOOD' | 'METER_ALARM' | 'METER_ALARM_OVER', name: string) =>
    seat.note({ code, atMs: null, detail: { flag: name } });
  flag('BATTERY_LOW', 'lowBattery');
  flag('METER_ALARM', 'permanentError');
  flag('METER_ALARM', 'error 04');
  flag('METER_ALARM', 'error 04');
  t.same(notes(), [
    'The meter reports an error or tampering: error 04.',
    'The meter reports an error or tampering: a permanent error.',
    'The meter reports that its battery is low.',
  ]);
  flag('METER_ALARM_OVER', 'permanentError');
  flag('BATTERY_GOOD', 'lowBattery');
  t.same(notes(), ['The meter reports an error or tampering: error 04.']);
  seat.note({ code: 'CLOCK_DRIFT', atMs: 0, detail: { drift_s: -95 } });
  t.equal(notes()[0], 'The meter’s clock differs from the gateway’s: 95 s.');
  seat.note({ code: 'CLOCK_RIGHT', atMs: 0, detail: { drift_s: 2 } });
  seat.note({ code: 'STORED_VALUE', atMs: 0, detail: { value: 1 } });
  t.equal(notes().length, 1);
  seat.note({ code: 'TEXT_MESSAGE', atMs: null, detail: { text: 'Works in your street' } });
  t.equal(notes()[0], 'The grid operator shows a message on the meter: Works in your street.');
  for (let i = 0; i < 40; i++) flag('METER_ALARM', `error ${i}`);
  t.equal(notes().length, 8, 'bounded');
});

test('trouble of the store is said, and nothing when all is well', async (t) => {
  t.same(storageNotices(STORAGE), []);
  t.match(storageNotices({ ...STORAGE, mode: 'memory', code: 'STORE_FULL', free_bytes: null }), [
    /^Nothing can be kept on the disk \(the disk is full\): .*lost with a power cut/,
  ]);
  t.match(storageNotices({ ...STORAGE, code: 'STORE_BUSY' }), [/could not be written \(another program/]);
  t.match(storageNotices({ ...STORAGE, lost: 1200, free_bytes: 9_900_000 }), [
    /^1,200 values were lost/,
    /nearly full: 9 MB are left/,
  ]);
});

test('how good the plan is', async (t) => {
  const place = { nowMs: NOON, timeZone: 'Europe/Brussels', currency: 'EUR' };
  const plan: HousePlan = {
    ...{ madeMs: NOON, untilMs: MIDNIGHT + 30 * 3_600_000, modes: {} },
    bill: 4.5,
    certificate: { cost: 3.32, bound: 3.2, gap: 0.036, source: 'solver' },
    quality: {
      load: { source: 'history', meanError_W: 212, bias_W: -140 },
      solar: { source: 'none', meanError_W: null, bias_W: null },
    },
  };
  t.same(planSentences(plan, place), [
    'The plan was made at 17:20 and goes until tomorrow 06:00: so far prices are known.',
    'With it your home should pay €4.50 until then.',
    'By what was forecast, no other plan could save more than €0.12, wear and what stays stored counted: that is proven.',
    "The forecast of what your home uses comes from your home's own past; on the last whole day it was off by 212 W on average, mostly too low.",
    'There is no forecast of your solar power yet.',
  ]);
  const supplied = {
    temperature: { source: 'supplied', meanError_C: 1.24, bias_C: 1.2 },
    hotWater: { source: 'history', meanError_W: 80, bias_W: null },
  } as const;
  t.same(planSentences({ ...plan, quality: { ...plan.quality, ...supplied } }, place).slice(5), [
    "The forecast of the hot water you need comes from your home's own past; on the last whole day it was off by 80 W on average.",
    'The forecast of the temperature outdoors is supplied from outside; on the last whole day it was off by 1.2 °C on average, mostly too high.',
  ]);
  const certificate = { cost: -1, bound: -1, gap: 0, source: 'stand-in' } as const;
  t.match(planSentences({ ...plan, bill: -1, certificate }, place), [
    /made/,
    'With it your home should earn €1.00 until then.',
    /simple method.*no other plan would come cheaper, .*: that is proven/,
  ]);
  const unproven = { ...certificate, bound: null, gap: null };
  t.match(planSentences({ ...plan, certificate: unproven }, place)[2], /not known/);
});

test('a meter on the air, and what a key made of it', async (t) => {
  const heard = { id: 'AB12', configured: false, telegrams: 1, lastMs: 0, signal_dBm: null };
  const odd = heardView({ ...heard, medium: '"><script>', manufacturer: 'X@Z', refused: null, kept: 0 });
  t.match(odd, { maker: 'X@Z', encrypted: false, row: { id: 'script-ab12', address: 'X@Z AB12' } });
  t.match(odd.row?.id, /^[a-z0-9-]{1,32}$/);
  t.equal(odd.row !== null && 'key' in odd.row, false, 'it needs none');
  t.match(heardView({ ...heard, configured: true, refused: null, kept: 3 }), { row: null, maker: null });
  const trial = { tried: 1, opened: 1, refused: null, readings: [] };
  t.equal(trialSentence(trial), 'The key opens the telegram, but no value was read.');
  t.equal(
    trialSentence({ ...trial, tried: 4, opened: 0, refused: fault('KEY_WRONG') }),
    'The key does not open the telegrams of this meter (the key does not open the telegram).',
  );
});

test('what became of planning', async (t) => {
  const place = { nowMs: NOON, timeZone: 'Europe/Brussels', currency: 'EUR' };
  const say = (code: string, detail = {}): string =>
    journalSentence({ kind: 'system', subject: 'planner', code, detail }, (id) => id, place);
  t.equal(say('PLANNED', { source: 'solver' }), 'Your devices are planned ahead.');
  t.match(say('PLANNED', { source: 'last plan' }), /^The last plan goes on/);
  t.match(say('NO_PRICE', { plan: null }), /no prices are known/);
  t.equal(say('PLAN_INFEASIBLE'), 'Planning ahead had trouble: no plan satisfies every constraint.');
  t.match(say('toString'), /trouble: toString\./);
});

/** WCAG 2.2, 1.4.3: relative luminance, contrast. */
function contrast(a: string, b: string): number {
  const light = (hex: string): number => {
    const [r = 0, g = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

test('what is written can be read, by day and by night', async (t) => {
  const css = readFileSync(path.resolve(import.meta.dirname, '../../firmware/web/page/base.css'), 'utf8');
  const palettes = css
    .split(':root {')
    .slice(1)
    .map(
      (part) =>
        new Map([...(part.split('}')[0] ?? '').matchAll(/--([\w-]+): (#\w{6})/g)].map((m) => [m[1], m[2]])),
    );
  t.equal(palettes.length, 2, 'light and dark');
  const texts = [
    ...['ink/card', 'ink/bg', 'soft/card', 'soft/bg', 'ink/note', 'ink/press', 'soft/press'],
    ...['warn-ink/warn', 'ember/card', 'grid/card', 'leaf/card', 'card/ember', 'card/ink'],
  ];
  const drawings = ['sun/card', 'soft/bg', 'card/sun', 'soft/note'];
  for (const [index, colours] of palettes.entries()) {
    const of = (pair: string): number => {
      const [a, b] = pair.split('/').map((name) => colours.get(name) ?? '#808080');
      return contrast(a ?? '', b ?? '');
    };
    const name = index === 0 ? 'light' : 'dark';
    for (const pair of texts) t.ok(of(pair) >= 4.5, `${name} ${pair} ${of(pair).toFixed(2)} : 1`);
    for (const pair of drawings) t.ok(of(pair) >= 3, `${name} ${pair} ${of(pair).toFixed(2)} : 1`);
  }
});
