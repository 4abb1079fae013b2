import { test } from 'tap';
import { clearSky_W, sunAt } from '../../firmware/policy/forecast/clear-sky.ts';
import { LOAD, profileForecast, TEMPERATURE } from '../../firmware/policy/forecast/profile.ts';
import { errorOf, QUARTER_MS, type Sample } from '../../firmware/policy/forecast/series.ts';
import { solarForecast } from '../../firmware/policy/forecast/solar.ts';
import { HOUR, NOON } from './home.ts';

const DAY = 24 * HOUR;
const BERLIN = { latitude: 52.5, longitude: 13.4 };
const SOUTH = { peak_W: 8000, tilt: 35, azimuth: 180 };
const quarters = (fromMs: number, untilMs: number, value: (atMs: number) => number): Sample[] =>
  Array.from({ length: Math.round((untilMs - fromMs) / QUARTER_MS) }, (_, i) => {
    const atMs = fromMs + i * QUARTER_MS;
    return { atMs, value: value(atMs) };
  });

test('where the sun stands', (t) => {
  const degrees = (x: number): number => (x * 180) / Math.PI;
  // Solstices and an equinox from the almanac: 90° − latitude ± 23.44°; true noon at 13.4° E is 12:06 mean time later.
  const summer = sunAt(Date.UTC(2026, 5, 21, 11, 8), BERLIN);
  t.ok(Math.abs(degrees(summer.height) - (90 - 52.5 + 23.44)) < 0.05, `${degrees(summer.height)}`);
  t.ok(Math.abs(degrees(summer.azimuth) - 180) < 0.7, `${degrees(summer.azimuth)}`);
  const equator = sunAt(Date.UTC(2026, 2, 20, 12, 7), { latitude: 0, longitude: 0 });
  t.ok(degrees(equator.height) > 89.5, 'above the equator');
  const morning = sunAt(Date.UTC(2026, 2, 20, 6, 0), BERLIN);
  t.ok(degrees(morning.azimuth) > 90 && degrees(morning.azimuth) < 110, 'it rises in the east');
  t.equal(clearSky_W(Date.UTC(2026, 5, 21, 23, 0), BERLIN, SOUTH), 0, 'not at night');
  const noon = clearSky_W(Date.UTC(2026, 5, 21, 11, 0), BERLIN, SOUTH);
  t.ok(noon > 5500 && noon < 8000, `${noon} of 8000`);
  t.end();
});

test('what a household does comes back by weekday and hour, over a change of the clock', (t) => {
  const from = Date.UTC(2026, 2, 1);
  const now = Date.UTC(2026, 2, 30, 0);
  // Cooks at 18:00 local time, washes on Saturday mornings: summer time begins on March 29.
  const local = (atMs: number): number => atMs + (atMs >= Date.UTC(2026, 2, 29, 1) ? 2 : 1) * HOUR;
  const load = (atMs: number): number => {
    const hour = Math.floor((local(atMs) % DAY) / HOUR);
    const weekday = (Math.floor(local(atMs) / DAY) + 4) % 7;
    return 200 + (hour === 18 ? 2000 : 0) + (weekday === 6 && hour === 9 ? 1500 : 0);
  };
  const horizon = { fromMs: now, slots: 7 * 96, timeZone: 'Europe/Berlin' };
  const told = profileForecast(quarters(from, now, load), horizon, LOAD);
  const at = (ms: number): number => told?.mean[Math.round((ms - now) / QUARTER_MS)] ?? Number.NaN;
  t.ok(at(Date.UTC(2026, 2, 30, 16, 30)) > 1800, 'cooking is at 18:30 summer time');
  t.ok(at(Date.UTC(2026, 2, 30, 17, 30)) < 700, 'and not an hour later');
  const saturday = at(Date.UTC(2026, 3, 4, 7, 30));
  t.ok(saturday > 2 * at(Date.UTC(2026, 3, 1, 7, 30)), `washing is on Saturday: ${saturday}`);
  t.ok(told?.low.every((x, i) => x <= (told.mean[i] ?? 0) && (told.high[i] ?? 0) >= (told.mean[i] ?? 0)));
  t.equal(
    profileForecast(quarters(now - 3 * HOUR, now, load), horizon, LOAD),
    null,
    'three hours are no history',
  );
  t.end();
});

test('what is measured now moves the next hours, not tomorrow', (t) => {
  const now = NOON;
  const history = quarters(now - 10 * DAY, now, (atMs) => (atMs < now - 2 * HOUR ? 300 : 1300));
  const told = profileForecast(history, { fromMs: now, slots: 96, timeZone: 'Europe/Berlin' }, LOAD);
  t.ok((told?.mean[0] ?? 0) > 600 && (told?.mean[80] ?? 0) < 450, `${told?.mean[0]} ${told?.mean[80]}`);
  const cold = quarters(now - 10 * DAY, now, (atMs) => (atMs < now - DAY ? 8 : 2));
  const warmth = profileForecast(cold, { fromMs: now, slots: 24, timeZone: 'Europe/Berlin' }, TEMPERATURE);
  t.ok((warmth?.mean[20] ?? 9) < 5, 'a cold day stays cold');
  t.end();
});

test('the sun is learnt from the roof: shade, orientation, clouds', (t) => {
  const now = Date.UTC(2026, 4, 20);
  const cloud = (atMs: number): number => [1, 0.5, 0.9, 0.3, 1, 0.8, 0.4][Math.floor(atMs / DAY) % 7] ?? 1;
  // A wall hides the sun before 8 UTC, and nobody has said so.
  const roof = (atMs: number): number =>
    clearSky_W(atMs, BERLIN, SOUTH) * cloud(atMs) * (atMs % DAY < 8 * HOUR ? 0.1 : 1);
  const history = quarters(now - 21 * DAY, now, roof);
  const horizon = { fromMs: now, slots: 96, timeZone: 'UTC' };
  const actual = quarters(now, now + DAY, roof);
  const learnt = solarForecast({ history, horizon, place: BERLIN, roof: null });
  t.equal(learnt?.source, 'clear-sky');
  const plain = solarForecast({ history: [], horizon, place: BERLIN, roof: SOUTH });
  const morning = { ...horizon, slots: 32 };
  const early = (of: typeof learnt): number =>
    errorOf({ ...(of ?? { low: [], high: [] }), mean: of?.mean.slice(0, morning.slots) ?? [] }, now, actual)
      ?.mean ?? Infinity;
  t.ok(early(learnt) < 0.5 * early(plain), `${early(learnt)} against ${early(plain)} without learning`);
  t.ok((learnt?.mean[28] ?? 1e9) < 0.25 * (plain?.mean[28] ?? 0), 'the wall is found');
  t.ok(learnt?.mean[0] === 0 && learnt.high.every((x, i) => x >= (learnt.mean[i] ?? 0)));
  t.equal(solarForecast({ history: [], horizon, place: null, roof: null }), null, 'nothing to learn from');
  const bright = quarters(now - 21 * DAY, now + 11 * HOUR, (ms) =>
    ms < now ? roof(ms) : clearSky_W(ms, BERLIN, SOUTH),
  );
  const later = { fromMs: now + 11 * HOUR, slots: 8, timeZone: 'UTC' };
  const before = solarForecast({
    history: bright.filter((s) => s.atMs < now),
    horizon: later,
    place: BERLIN,
    roof: null,
  });
  const after = solarForecast({ history: bright, horizon: later, place: BERLIN, roof: null });
  t.ok((after?.mean[0] ?? 0) > 1.2 * (before?.mean[0] ?? 1e9), 'a bright morning makes a brighter noon');
  const supplied = solarForecast({
    history,
    horizon,
    place: BERLIN,
    roof: SOUTH,
    supplied: quarters(now, now + DAY, (ms) => (ms < now + 5 * HOUR ? 0 : 70)).map((s) => s.value),
  });
  t.equal(supplied?.mean[50], 70, 'a forecast from elsewhere comes first');
  t.end();
});
