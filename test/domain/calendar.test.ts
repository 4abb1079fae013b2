/** Local times and instants, against the calendar itself: every half hour of a year, in zones of all kinds. */
import { test } from 'tap';
import { instantOf, lastLocalTime, localMs, nextLocalTime } from '../../firmware/domain/calendar.ts';

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

test('a skipped time becomes the instant of the change plus what was skipped', async (t) => {
  const skipped = instantOf(Date.UTC(2026, 2, 29, 2, 30), 'Europe/Berlin');
  t.equal(new Date(skipped).toISOString(), '2026-03-29T01:30:00.000Z');
});
