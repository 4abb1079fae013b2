/** What the contract fixes, against a clock on the wall read minute by minute. */
import fc from 'fast-check';
import { test } from 'tap';
import { localMs } from '../../firmware/domain/calendar.ts';
import {
  fixedTariff,
  type Tariff,
  type TariffStep,
  tariffAt,
  tariffBetween,
} from '../../firmware/domain/tariff.ts';

const BERLIN = 'Europe/Berlin';
const MINUTE = 60_000;
const DAY = 86_400_000;

const step = (from: string, price: number, days: TariffStep['days'] = 'all'): TariffStep => ({
  from,
  price,
  days,
});

/** Night from 22 to 6, the weekend cheaper all day; from December on one price. */
const CONTRACT: Tariff = [
  { from: null, steps: [step('22:00', 0.2), step('06:00', 0.3), step('00:00', 0.25, 'weekends')] },
  { from: '2026-12-01', steps: [step('00:00', 0.28)] },
];

const at = (text: string): number | null => tariffAt(CONTRACT, BERLIN, Date.parse(text));

test('a price by weekday, time and date', async (t) => {
  t.equal(at('2026-11-20T05:59:59+01:00'), 0.2, 'a Friday before six: the last step of a day goes on');
  t.equal(at('2026-11-20T06:00:00+01:00'), 0.3);
  t.equal(at('2026-11-20T22:00:00+01:00'), 0.2);
  t.equal(at('2026-11-21T00:00:00+01:00'), 0.25, 'Saturday');
  t.equal(at('2026-11-22T23:59:59+01:00'), 0.25, 'Sunday');
  t.equal(at('2026-11-23T00:00:00+01:00'), 0.2, 'Monday night');
  t.equal(at('2026-11-30T23:59:59+01:00'), 0.2);
  t.equal(at('2026-12-01T00:00:00+01:00'), 0.28, 'the date at which the contract changes');
  t.equal(tariffAt([], BERLIN, 0), null, 'nothing is fixed');
  t.equal(
    tariffAt([{ from: '2027-01-01', steps: [step('00:00', 1)] }], BERLIN, 0),
    null,
    'nor before it begins',
  );
});

test('a holiday is a weekend, in its year or in every year, from local midnight on', async (t) => {
  const [first, later] = CONTRACT;
  const holidays: Tariff = [{ steps: [], from: null, ...first, holidays: ['2026-04-06', '05-01'] }];
  const price = (text: string): number | null =>
    tariffAt([...holidays, ...(later ? [later] : [])], BERLIN, Date.parse(text));
  t.equal(price('2026-04-06T12:00:00+02:00'), 0.25, 'Easter Monday of 2026');
  t.equal(price('2026-04-05T23:59:59+02:00'), 0.25, 'a Sunday');
  t.equal(price('2026-04-07T00:00:00+02:00'), 0.2);
  t.equal(price('2025-04-07T12:00:00+02:00'), 0.3, 'not of the year before');
  t.equal(price('2026-05-01T00:00:00+02:00'), 0.25);
  t.equal(price('2026-04-30T23:59:59+02:00'), 0.2);
  t.equal(price('2025-05-01T12:00:00+02:00'), 0.25, 'the first of May of every year');
  t.equal(at('2025-05-01T12:00:00+02:00'), 0.3, 'unless the contract says nothing of it');
  t.equal(price('2026-12-25T12:00:00+01:00'), 0.28, 'of another period');
});

test('stretches follow each other without a gap, and alike ones are one', async (t) => {
  const from = Date.parse('2026-11-20T00:00:00+01:00');
  t.same(
    tariffBetween(CONTRACT, BERLIN, from, from + DAY).map((s) => [(s.fromMs - from) / 3_600_000, s.price]),
    [
      [0, 0.2],
      [6, 0.3],
      [22, 0.2],
    ],
  );
  t.same(tariffBetween(fixedTariff(0.3), BERLIN, from, from + 9 * DAY), [
    { fromMs: from, untilMs: from + 9 * DAY, price: 0.3 },
  ]);
  t.same(tariffBetween(CONTRACT, BERLIN, from, from), []);
});

/** By the clock on the wall alone. */
function byTheClock(tariff: Tariff, zone: string, atMs: number): number | null {
  const local = localMs(atMs, zone);
  const date = new Date(local).toISOString();
  const period = tariff.filter((p) => p.from === null || p.from <= date.slice(0, 10)).at(-1);
  const weekend = [0, 6].includes(new Date(local).getUTCDay()) ? 'weekends' : 'workdays';
  const own = (period?.steps ?? []).filter((s) => s.days === weekend);
  const steps = own.length > 0 ? own : (period?.steps ?? []).filter((s) => s.days === 'all');
  const sorted = [...steps].sort((a, b) => (a.from < b.from ? -1 : 1));
  return (sorted.filter((s) => s.from <= date.slice(11, 16)).at(-1) ?? sorted.at(-1))?.price ?? null;
}

const time = fc.integer({ min: 0, max: 95 }).map((q) => {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(q / 4))}:${two((q % 4) * 15)}`;
});
const steps = fc
  .uniqueArray(
    fc.record({ from: time, days: fc.constantFrom('all', 'weekends', 'workdays'), price: fc.nat(50) }),
    {
      minLength: 1,
      maxLength: 6,
      selector: ({ from, days }) => from + days,
    },
  )
  .map((some): TariffStep[] => [
    ...some.filter((s) => s.days !== 'all' || s.from !== '00:00'),
    step('00:00', 51),
  ]);
const anyTariff: fc.Arbitrary<Tariff> = fc
  .tuple(steps, steps, fc.integer({ min: -2, max: 3 }))
  .map(([a, b, days]) => [
    { from: null, steps: a },
    { from: new Date(Date.UTC(2027, 2, 27) + days * DAY).toISOString().slice(0, 10), steps: b },
  ]);

for (const zone of [BERLIN, 'America/St_Johns', 'Asia/Kolkata', 'Pacific/Auckland']) {
  test(`the same as the clock on the wall says, over the change of time too: ${zone}`, async (t) => {
    // Around both changes of Europe, and of the two others.
    const days = [Date.UTC(2027, 2, 12), Date.UTC(2027, 2, 26), Date.UTC(2027, 3, 2), Date.UTC(2027, 8, 24)];
    fc.assert(
      fc.property(anyTariff, fc.constantFrom(...days), (tariff, from) => {
        for (let ms = from; ms < from + 3 * DAY; ms += 15 * MINUTE) {
          // Of an hour that comes twice the first counts: the second goes on as the first ended.
          if (localMs(ms - 60 * MINUTE, zone) === localMs(ms, zone)) continue;
          if (tariffAt(tariff, zone, ms) !== byTheClock(tariff, zone, ms)) return false;
        }
        return true;
      }),
      { numRuns: 25, seed: 11 },
    );
    t.pass('25 contracts');
  });
}

test('a step in the hour that spring skips begins when the clock is put forward', async (t) => {
  const springs = {
    [BERLIN]: ['02:30', Date.parse('2026-03-29T01:00:00Z')],
    'Australia/Sydney': ['02:30', Date.parse('2026-10-03T16:00:00Z')],
    'America/New_York': ['02:30', Date.parse('2026-03-08T07:00:00Z')],
    'Australia/Lord_Howe': ['02:15', Date.parse('2026-10-03T15:30:00Z')],
    'Pacific/Chatham': ['03:15', Date.parse('2026-09-26T14:00:00Z')],
  } as const;
  for (const [zone, [from, changeMs]] of Object.entries(springs)) {
    const contract: Tariff = [
      { from: null, steps: [step('00:00', 0.1), step(from, 0.3), step('12:00', 0.2)] },
    ];
    const wrong: number[] = [];
    for (let ms = changeMs - 3 * 3_600_000; ms < changeMs + 12 * 3_600_000; ms += MINUTE)
      if (tariffAt(contract, zone, ms) !== byTheClock(contract, zone, ms))
        wrong.push((ms - changeMs) / MINUTE);
    t.same(wrong, [], zone);
    t.same(
      [-MINUTE, 0].map((ms) => tariffAt(contract, zone, changeMs + ms)),
      [0.1, 0.3],
      zone,
    );
  }
});
