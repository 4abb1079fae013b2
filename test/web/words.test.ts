/** Days, reasons and the journal in words. */
import { test } from 'tap';
import { journalSentence } from '../../firmware/web/journal-words.ts';
import { stretchesOf } from '../../firmware/web/planned.ts';
import { REASON_CODES, reasonSentence } from '../../firmware/web/sentences.ts';
import { dayStart, timeWords } from '../../firmware/web/zone.ts';
import { NOON } from './clock.ts';

test('quarter hours without a break are one stretch', async (t) => {
  const quarter = (n: number, power_W: number) => ({
    fromMs: n * 900_000,
    untilMs: (n + 1) * 900_000,
    power_W,
  });
  t.same(stretchesOf([quarter(0, 2), quarter(1, 2), quarter(2, 3), quarter(5, 3)]), [
    { fromMs: 0, untilMs: 1_800_000, power_W: 2 },
    quarter(2, 3),
    quarter(5, 3),
  ]);
  const short = { fromMs: 0, untilMs: 300_000, power_W: 2 };
  t.same(stretchesOf([short, { ...short, fromMs: 300_000, untilMs: 1_200_000 }]), [
    { ...short, untilMs: 1_200_000 },
  ]);
  t.same(stretchesOf([]), []);
});

test('days and words', async (t) => {
  const spring = Date.UTC(2026, 2, 29, 10);
  t.equal(dayStart('Europe/Brussels', spring), Date.UTC(2026, 2, 28, 23), 'the day of the change');
  t.equal(dayStart('Europe/Brussels', spring, 1) - dayStart('Europe/Brussels', spring), 23 * 3_600_000);
  t.equal(
    dayStart('Europe/Brussels', Date.UTC(2026, 9, 25, 12), 1) -
      dayStart('Europe/Brussels', Date.UTC(2026, 9, 25, 12)),
    25 * 3_600_000,
  );
  t.equal(dayStart('Asia/Kathmandu', NOON), Date.UTC(2026, 5, 16, 18, 15));
  t.equal(timeWords('Europe/Brussels', NOON + 8 * 3_600_000, NOON), 'tomorrow 01:20');
  t.equal(timeWords('Europe/Brussels', NOON - 18 * 3_600_000, NOON), 'yesterday 23:20');
  t.equal(timeWords('Europe/Brussels', NOON + 3 * 86_400_000, NOON), 'Sat 17:20');
  t.equal(timeWords('Europe/Brussels', NOON - 30 * 86_400_000, NOON), '18 May 17:20');

  const place = { nowMs: NOON, timeZone: 'Europe/Brussels', currency: 'EUR' };
  const waits = {
    code: 'PLANNED',
    values: { mode: 'surplus', needs_W: 4140, untilMs: NOON + 3_600_000 },
  } as const;
  t.match(reasonSentence(waits, place), /^Waits for 4\.1 kW of sun to spare, as planned, until /);
  t.equal(
    reasonSentence({ code: 'PEAK', values: { importUpTo_W: 2500, goingOnCosts: 8.28 } }, place),
    'Gives way while the rest of the house draws more: above 2.5 kW a higher peak would be billed. ' +
      'Going on for a quarter hour would cost 8.28 EUR more.',
  );
  t.ok(REASON_CODES.length >= 26);
  for (const code of REASON_CODES) {
    for (const values of [
      {},
      { untilMs: null, limit_W: null },
      { limit_W: 0, untilMs: NOON, source: 'X', atMs: NOON },
    ]) {
      const sentence = reasonSentence({ code, values }, place);
      t.match(sentence, /^[A-Z].*\.$/, code);
      t.notMatch(sentence, /undefined|null|NaN|\s{2}/, code);
    }
  }
  const zero = reasonSentence({ code: 'GRID_LIMIT', values: { limit_W: 0, source: 'DSO' } }, place);
  t.equal(zero, 'DSO limits the house to 0 W.', '0 W is not "no limit"');
  const say = (kind: string, code: string, detail = {}) =>
    journalSentence({ kind, subject: 'boiler', code, detail }, () => 'Hot water', place);
  t.equal(say('system', 'BATTERY_LOW'), 'Hot water: the meter reports that its battery is low.');
  t.equal(
    say('system', 'STORED_VALUE', { value: 10_000_000, unit: 'Wh', date: '2025-12-31' }),
    'Hot water: the meter kept a value at a due date (10000000 Wh, 2025-12-31).',
  );
  t.equal(say('system', 'STARTED'), 'Hot water: STARTED.', 'only a command has a status');
  t.equal(
    say('command', 'ABORTED', { fault: { code: 'TIMEOUT', message: 'no answer' } }),
    'Hot water could not carry out the instruction (no answer).',
  );
  t.equal(
    say('command', 'SUCCEEDED', { setPoint_W: -1300 }),
    'Hot water carried out the instruction: give up to 1.3 kW.',
  );
  t.match(say('decision', 'FREE', { setPoint_W: -1300 }), /^Hot water set to give up to 1\.3 kW: /);
  t.match(say('decision', 'FREE', { setPoint_W: 0 }), /^Hot water set to 0 W: /);
  t.equal(
    say('override', 'OWNER_NOT_BEFORE', { kind: 'notBefore', atMs: NOON + 600_000 }),
    'Hot water: you asked it to wait until 17:30.',
  );
  t.equal(
    say('override', 'RUNBY', { kind: 'runBy', byMs: NOON + 600_000 }),
    'Hot water: you asked for one run, done by 17:30.',
  );
  t.equal(
    say('decision', 'PROGRAM_RUNS', { setPoint_W: 2000, reasons: [{ values: { leftMs: 2_880_000 } }] }),
    'Hot water set to 2 kW: Its program has begun and runs for 48 more minutes: it is not interrupted.',
  );
  const limit = (first: object) => say('signal', 'importLimit', { kind: 'importLimit', first });
  t.equal(
    limit({ fromMs: NOON + 600_000, untilMs: NOON + 900_000, value: 0 }),
    'Hot water sent a limit for power from the grid: 0 W from 17:30 until 17:35.',
  );
  t.match(limit({ fromMs: 0, untilMs: NOON + 900_000, value: null }), /: none until 17:35\.$/);
  t.equal(say('signal', 'CANCELLED'), 'A signal was withdrawn.');
  t.equal(say('fault', 'SILENT', { reason: null }), 'Hot water has fallen silent.');
  t.equal(say('fault', 'BAD_CHECKSUM'), 'Hot water: a checksum over the bytes does not match.');
  t.equal(
    say('guard', 'HOUSE_FUSE', { setPoint_W: 0, fuse_A: 25 }),
    'Hot water set to 0 W: Held back so that the main fuse of 25 A is not overloaded.',
  );
});
