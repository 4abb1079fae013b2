/** What waiting saved against running at once: by hand, over own sun, with its error, and when nothing is known. */
import { test } from 'tap';
import type { BatteryStore } from '../../firmware/domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../../firmware/domain/image.ts';
import type { SeriesStore } from '../../firmware/domain/storage.ts';
import { savingsOf } from '../../firmware/web/savings.ts';
import { batterySaved } from '../../firmware/web/savings-battery.ts';
import { type Quarter, savedBetween } from '../../firmware/web/savings-load.ts';
import { programSaved } from '../../firmware/web/savings-program.ts';
import { savingsSchema } from '../../firmware/web/schema.ts';
import { HandClock, NOON } from './clock.ts';
import { Home } from './home.ts';
import { withProgram } from './programs.ts';
import { BATTERY, withStores } from './stores.ts';

const QUARTER = 900_000;
const NO_SERIES = { points: () => ['grid/activeEnergyImport'], read: () => [] };
const NOTHING = { series: NO_SERIES, journal: { read: () => [] } };
const DAY = 96 * QUARTER;
const quarter = (device_Wh: number, importPrice: number, more: Partial<Quarter> = {}): Quarter => ({
  import_Wh: device_Wh + 100,
  export_Wh: 0,
  exportPrice: 0.00008,
  device_Wh,
  importPrice,
  ...more,
});
const near = (x: number | undefined, y: number): boolean => Math.abs((x ?? Number.NaN) - y) < 1e-9;

test('the same energy at once', (t) => {
  const dearFirst = [quarter(0, 0.0004), quarter(0, 0.0003), quarter(900, 0.0001), quarter(900, 0.0001)];
  const [least, most] = savedBetween(dearFirst, 900) ?? [];
  t.ok(near(most, 900 * 0.0003 + 900 * 0.0002), `begun first: ${most}`);
  t.ok(near(least, 0), 'it may have begun when it did');
  t.equal(savedBetween([quarter(0, 0.0004)], 900), null, 'took nothing');
  const cheapFirst = savedBetween([quarter(0, 0.0001), quarter(900, 0.0004)], 900) ?? [];
  t.ok(near(cheapFirst[0], -900 * 0.0003), 'waiting may cost more, and that is said');
  const sunny = [
    quarter(0, 0.0003, { import_Wh: 300 }),
    quarter(800, 0.0003, { import_Wh: 200, export_Wh: 100 }),
  ];
  const own = savedBetween(sunny, 1000) ?? [];
  t.ok(near(own[1], 800 * 0.0003 - (200 * 0.0003 + 600 * 0.00008)), 'what the sun gave is worth its feed-in');
  const fed = [
    quarter(0, 0.0003, { import_Wh: 0, export_Wh: 500 }),
    quarter(800, 0.0003, { import_Wh: 800 }),
  ];
  const lost = savedBetween(fed, 800) ?? [];
  t.ok(near(lost[0], 500 * 0.00008 + 300 * 0.0003 - 800 * 0.0003), 'at once it would have taken the sun');
  const late = savedBetween([quarter(0, 0.0001), quarter(2000, 0.0002)], 500) ?? [];
  t.ok(near(late[0], 500 * -0.0001), 'what no time was left for is taken last');
  t.end();
});

/** The car took 2 kWh an hour, from the third hour before its deadline on. */
function home(
  change: Partial<DeviceImage> = {},
  hole: (atMs: number) => boolean = () => false,
  isThere_h = 24,
) {
  const byMs = NOON + DAY / 4;
  const until = Math.floor((byMs - DAY) / QUARTER) * QUARTER;
  const given = new Home(new HandClock()).snapshot();
  const devices = given.image.devices
    .filter((d) => d.id === 'wallbox')
    .map(
      (d): DeviceImage => ({
        ...d,
        mode: 'cheap',
        flexibility: {
          ...d.flexibility,
          ranges: [{ min_W: 0, max_W: 2000 }],
          need: {
            ...{ energy_Wh: 6000, byMs },
            ...(isThere_h < 24 && { fromMs: byMs - isThere_h * 4 * QUARTER }),
          },
        },
        ...change,
      }),
    );
  const snapshot: Snapshot = { ...given, image: { ...given.image, devices } };
  const charging = (at: number): boolean => at >= until - 12 * QUARTER && at < until;
  const value = (point: string, at: number): number | null => {
    if (hole(at)) return null;
    if (point === '_prices/importPrice') return charging(at) ? 0.0001 : 0.0003;
    if (point === 'wallbox/activePower') return charging(at) ? 2000 : 0;
    if (point === 'grid/activeEnergyImport')
      return 100 * (at / QUARTER) + 500 * Math.max(0, Math.min(12, (at - until) / QUARTER + 13));
    return null;
  };
  const series: Pick<SeriesStore, 'points' | 'read'> = {
    points: () => ['grid/activeEnergyImport'],
    read: (point, _, fromMs, untilMs) =>
      Array.from({ length: Math.round((untilMs - fromMs) / QUARTER) }, (_x, i) => {
        const atMs = Math.ceil(fromMs / QUARTER) * QUARTER + i * QUARTER;
        return { atMs, value: value(point, atMs), min: null, max: null, quality: 'good' as const };
      }),
  };
  return savingsSchema.parse(savingsOf(snapshot, { ...NOTHING, series }, 'grid'));
}

test('for the owner: a sentence with its error', (t) => {
  const { saved, error, energy_Wh, devices, sentence } = home();
  t.equal(energy_Wh, 6000);
  t.ok(near(saved ?? undefined, 0.6) && near(error ?? undefined, 0.6), `${saved} ± ${error}`);
  t.match(devices, [{ id: 'wallbox', missing: 0 }]);
  t.equal(sentence, 'Against the same day without it, control saved €0.60 ± €0.60.');
  t.match(
    devices[0]?.sentence,
    /^6 kWh until \S+ ?\S*: saved €0\.60 ± €0\.60 against running at once, depending/,
  );
  const late = home({}, undefined, 5);
  t.ok(near(late.saved ?? undefined, 0.4) && near(late.error ?? undefined, 0.4), 'at home for five hours');
  t.match(home({ mode: 'always' }), { saved: null, devices: [] });
  const silent = home({}, (at) => at % DAY < DAY / 4);
  t.match(silent, { saved: null, devices: [{ saved: null, energy_Wh: null }] });
  t.match(silent.sentence, /readings or prices of it are missing/);
  t.match(silent.devices[0]?.sentence, /readings or prices are missing: nothing can be said/);
  const holes = home({}, (at) => (at / QUARTER) % 96 === 3);
  t.ok((holes.devices[0]?.missing ?? 0) > 0 && holes.saved !== null, 'a hole is said');
  t.end();
});

test('a battery, against itself storing spare sun only', (t) => {
  const store: BatteryStore = {
    ...{ ...BATTERY, capacity_Wh: 4000, leastFill: 0, mostFill: 1, charge_W: 8000, discharge_W: 8000 },
    ...{ chargeEfficiency: 1, dischargeEfficiency: 1, wear_perWh: 0 },
  };
  const of = (house_Wh: number, device_Wh: number, importPrice: number, exportPrice = 0): Quarter => {
    const net_Wh = house_Wh + device_Wh;
    return {
      ...{ import_Wh: Math.max(0, net_Wh), export_Wh: Math.max(0, -net_Wh) },
      ...{ device_Wh, importPrice, exportPrice },
    };
  };
  const between = (quarters: Quarter[], fill: number | null, more: Partial<BatteryStore> = {}) =>
    batterySaved(quarters, { ...store, ...more }, fill) ?? [Number.NaN, Number.NaN];
  // Charged at 0.1, given at 0.4; left to itself it was empty and had no sun.
  const night = [of(0, 1000, 0.0001), of(1000, -1000, 0.0004)];
  t.ok(
    between(night, 0).every((x) => near(x, 0.3)),
    `${between(night, 0)}`,
  );
  t.ok(
    between(night, 0, { wear_perWh: 0.0001 }).every((x) => near(x, 0.2)),
    'giving wears it out',
  );
  const [least, most] = between([of(0, 1000, 0.0004, 0.00008)], 0);
  t.ok(near(least, 1000 * (0.00008 - 0.0004)) && near(most, 0), 'what is left in it is worth this or that');
  const sunny = [of(-1000, 1000, 0.0003, 0.0001), of(1000, -1000, 0.0003, 0.0001)];
  t.ok(
    between(sunny, 0).every((x) => near(x, 0)),
    'it did what it would have done',
  );
  const held = [of(1000, 0, 0.0001), of(1000, -1000, 0.0004)];
  t.ok(
    between(held, 0.25).every((x) => near(x, 0.3)),
    'kept for the dear hour',
  );
  const [worst, best] = between(held, null);
  t.ok(near(worst, -0.1) && near(best, 0.4), `how full it was is not known: ${worst} to ${best}`);
  t.equal(batterySaved([of(500, 0, 0.0001)], store, 0.5), null, 'it did nothing');
  t.end();
});

test('of heat nothing is claimed, and of a battery only with readings', (t) => {
  const { devices, saved } = savingsOf(withStores(new Home(new HandClock()).snapshot()), NOTHING, 'grid');
  t.equal(saved, null);
  t.match(
    devices.filter((d) => d.id === 'battery' || d.id === 'floor'),
    [
      {
        id: 'battery',
        saved: null,
        energy_Wh: null,
        sentence: /^Until 00:00 readings or prices are missing/,
      },
      { id: 'floor', saved: null, sentence: /^Not compared/ },
    ],
  );
  t.end();
});

/** Asked for at 17:20 yesterday, run from 22:00 on for two quarter hours of 800 Wh, when power cost a third. */
const ASKED = NOON - DAY;
const RAN = Math.floor((ASKED + 280 * 60_000) / QUARTER) * QUARTER;
type Wish = readonly [atMs: number, detail: Record<string, unknown>];
const WISHES: readonly Wish[] = [
  [ASKED, { kind: 'runBy', byMs: ASKED + DAY / 2 }],
  [RAN + 2 * QUARTER + 60_000, { kind: 'automatic', isOver: true }],
];

function washed(wishes: readonly Wish[], hole: (atMs: number) => boolean = () => false, mode = 'cheap') {
  const given = new Home(new HandClock());
  const snapshot = withProgram(given.snapshot());
  const devices = snapshot.image.devices
    .filter((d) => d.id === 'washer')
    .map((d) => ({ ...d, mode: mode as DeviceImage['mode'] }));
  given.entries.length = 0;
  for (const [atMs, detail] of wishes)
    given.journal.record({ atMs, kind: 'override', subject: 'washer', code: 'X', detail });
  const runs = (at: number): boolean => at >= RAN && at < RAN + 2 * QUARTER;
  const value = (point: string, at: number): number | null => {
    if (hole(at)) return null;
    if (point === '_prices/importPrice') return at < RAN ? 0.0003 : 0.0001;
    if (point === 'washer/activePower') return runs(at) ? 3200 : 0;
    return point === 'grid/activeEnergyImport'
      ? 50 * (at / QUARTER) + 800 * Math.max(0, Math.min(2, (at - RAN) / QUARTER + 1))
      : null;
  };
  const series = {
    points: () => ['grid/activeEnergyImport'],
    read: (point: string, _: string, fromMs: number, untilMs: number) =>
      Array.from({ length: Math.round((untilMs - fromMs) / QUARTER) }, (_x, i) => {
        const atMs = Math.ceil(fromMs / QUARTER) * QUARTER + i * QUARTER;
        return { atMs, value: value(point, atMs), min: null, max: null, quality: 'good' as const };
      }),
  };
  const image = { ...snapshot.image, devices };
  return savingsSchema.parse(savingsOf({ ...snapshot, image }, { series, journal: given.journal }, 'grid'));
}

test('a program, against starting when it was asked for', (t) => {
  const { saved, error, energy_Wh, devices } = washed(WISHES);
  t.equal(energy_Wh, 1600);
  t.ok(near(saved ?? undefined, 0.32) && near(error ?? undefined, 0), `${saved} ± ${error}`);
  t.equal(
    devices[0]?.sentence,
    '1.6 kWh until yesterday 22:45: saved €0.32 ± €0.00 against starting when you asked for it.',
  );
  const again: Wish = [ASKED + 3_600_000, { kind: 'runBy', byMs: ASKED + DAY }];
  t.same(washed([...WISHES.slice(0, 1), again, ...WISHES.slice(1)]).devices, devices, 'since the first wish');
  const late: Wish = [RAN - 15 * 60_000, { kind: 'runBy', byMs: ASKED + DAY }];
  const near22 = washed([[ASKED, { kind: 'off' }], late, ...WISHES.slice(1)]);
  t.ok(
    near(near22.saved ?? undefined, 0.08),
    `when it began in the quarter hour is not known: ${near22.saved}`,
  );
  t.ok(near(near22.error ?? undefined, 0.08), `${near22.error}`);
  const over: Wish = [RAN + 3_600_000, { kind: 'automatic' }];
  t.same(washed([...WISHES, over]).devices, devices, 'what was asked later is another matter');

  t.same(washed([]).devices, []);
  t.same(washed([WISHES[0] ?? [0, {}], over]).devices, [], 'taken back');
  t.same(washed([[ASKED, { kind: 'now', untilMs: null }], ...WISHES.slice(1)]).devices, [], 'never waited');
  t.same(washed(WISHES.map(([atMs, detail]) => [atMs - 2 * DAY, detail])).devices, [], 'long ago');
  t.same(washed(WISHES, () => false, 'always').devices, [], 'does not wait');
  t.match(washed(WISHES, () => true).devices, [{ saved: null, sentence: /readings or prices are missing/ }]);
  const at = (device_Wh: number, importPrice: number) => quarter(device_Wh, importPrice);
  t.equal(programSaved([at(0, 1), at(3, 1)]), null, 'took nothing');
  const [least, most] = programSaved([at(0, 0.0001), at(0, 0.0002), at(500, 0.0004)]) ?? [];
  t.ok(near(least, -500 * 0.0003) && near(most, -500 * 0.0002), `waiting cost more: ${least} to ${most}`);
  t.end();
});
