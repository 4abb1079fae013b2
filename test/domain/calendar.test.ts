/** Local times and instants, against the calendar itself: every half hour of a year, in zones of all kinds. */
import { test } from 'tap';
import { instantOf, lastLocalTime, localMs, nextLocalTime } from '../../firmware/domain/calendar.ts';
import { meterInstant } from '../../firmware/domain/meter-time.ts';

const HALF_HOUR_MS = 1_800_000;
const YEAR_MS = 366 * 86_400_000;

test('each instant of a year comes back from its local time; of a doubled hour the first', async (t) => {
  for (const zone of ['Europe/Berlin', 'UTC', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu']) {
    const seen = new Map<number, number>();
    let wrong = 0;
    let doubled = 0;
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2026, 0, 1) + YEAR_MS; at += HALF_HOUR_MS) {
      const local = localMs(at, zone);
      if (seen.has(local)) doubled += 1;
      else seen.set(local, at);
      if (instantOf(local, zone) !== seen.get(local)) wrong += 1;
    }
    t.equal(wrong, 0, zone);
    const changes = ['UTC', 'Asia/Kathmandu'].includes(zone) ? 0 : 1;
    t.equal(doubled > 0 ? 1 : 0, changes, `${zone}: ${doubled} half hours come twice`);
  }
});

test('the last time that a clock showed, and the next', async (t) => {
  for (const zone of ['Europe/Berlin', 'Australia/Lord_Howe'])
    for (const time of ['00:00', '07:00', '18:30', '23:45']) {
      let wrong = 0;
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2026, 0, 1) + YEAR_MS; at += 7 * HALF_HOUR_MS) {
        const [last, next] = [lastLocalTime(at, time, zone), nextLocalTime(at, time, zone)];
        const shown = new Date(localMs(last, zone)).toISOString().slice(11, 16);
        const hours = (next - last) / 3_600_000;
        // An instant at which it shows that very time is neither before nor after itself.
        const whole = nextLocalTime(last, time, zone) === at ? 2 : 1;
        if (!(last < at && at < next) || shown !== time || Math.abs(hours - 24 * whole) > whole) wrong += 1;
      }
      t.equal(wrong, 0, `${time} in ${zone}`);
    }
  const seven = Date.parse('2026-06-02T07:00:00+02:00');
  t.equal(lastLocalTime(seven, '07:00', 'Europe/Berlin'), seven - 2 * 12 * 3_600_000);
  t.equal(lastLocalTime(seven, '06:59', 'Europe/Berlin'), seven - 60_000);
});

const MINUTE_MS = 60_000;
/** Days of 2026 on which the clock is put forward, as local midnights, and how much. */
const SPRINGS = {
  'Europe/Berlin': [Date.UTC(2026, 2, 29), 60],
  'Australia/Sydney': [Date.UTC(2026, 9, 4), 60],
  'America/New_York': [Date.UTC(2026, 2, 8), 60],
  'Australia/Lord_Howe': [Date.UTC(2026, 9, 4), 30],
  'Pacific/Chatham': [Date.UTC(2026, 8, 27), 60],
  // It skips midnight.
  'Africa/Cairo': [Date.UTC(2026, 3, 24), 60],
} as const;

test('each minute of a day in spring is the first instant by which the clock has come so far', async (t) => {
  for (const [zone, [midnight, skipped]] of Object.entries(SPRINGS)) {
    const clock = Array.from({ length: 56 * 60 }, (_, i) => midnight - 16 * 3_600_000 + i * MINUTE_MS);
    const shown = clock.map((at) => localMs(at, zone));
    let [wrong, missing] = [0, 0];
    for (let minute = 0; minute < 1440; minute++) {
      const local = midnight + minute * MINUTE_MS;
      // Before the change only what shows it, or the first that shows more.
      const first = clock[shown.findIndex((x) => x >= local)] ?? 0;
      if (localMs(first, zone) !== local) missing += 1;
      if (instantOf(local, zone) !== first) wrong += 1;
    }
    t.same([wrong, missing], [0, skipped], zone);
  }
});

test('a deadline in the hour that is skipped ends with it, once', async (t) => {
  const next = (from: string): string =>
    new Date(nextLocalTime(Date.parse(from), '02:30', 'Europe/Berlin')).toISOString();
  t.equal(next('2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z');
  t.equal(next('2026-03-29T00:59:59Z'), '2026-03-29T01:00:00.000Z');
  t.equal(next('2026-03-29T01:00:00Z'), '2026-03-30T00:30:00.000Z');
});

test('a stamp in the hour that is skipped is of a clock that was not put forward', async (t) => {
  const stamps = [0, 15, 30, 45].map((minute) => {
    const at = meterInstant(Date.UTC(2026, 2, 29, 2, minute, 0, 500), null, 'Europe/Berlin');
    return new Date(at).toISOString().slice(11, 21);
  });
  t.same(stamps, ['01:00:00.5', '01:15:00.5', '01:30:00.5', '01:45:00.5']);
});
