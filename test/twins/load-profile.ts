/** The load profile of a meter of IEC 62056-21: mean power and register for every quarter hour, a new header after an event. */
import { instantOf, localMs } from '../../firmware/domain/calendar.ts';

const PERIOD_MS = 900_000;
const EVENT_EVERY = 200;

/** Answers a range of local times as they were asked, from periods that end in (fromMs, untilMs + a day]. */
export function monthOfProfile(fromMs: number, untilMs: number, timeZone: string, seasonDigit = true) {
  const count = Math.floor((untilMs + 86_400_000 - fromMs) / PERIOD_MS);
  const stamp = (atMs: number, seconds: string): string => {
    const winter = Math.min(offset(Date.UTC(2026, 0, 1), timeZone), offset(Date.UTC(2026, 6, 1), timeZone));
    const season = offset(atMs, timeZone) > winter ? '1' : '0';
    const digits = new Date(localMs(atMs, timeZone)).toISOString().replace(/\D/g, '').slice(2, 12);
    return `${seasonDigit ? season : ''}${digits}${seconds}`;
  };
  const ends = Array.from({ length: count }, (_, i) => fromMs + (i + 1) * PERIOD_MS);
  return (from: string, until: string): string | null => {
    if ((from.length === 11) !== seasonDigit) return null;
    const [first, last] = [instant(from, timeZone, false), instant(until, timeZone, true)];
    const wanted = ends.map((end, i) => [end, i] as const).filter(([end]) => end >= first && end <= last);
    if (wanted.length === 0) return null;
    const lines: string[] = [];
    wanted.forEach(([end, i], at) => {
      const event = i % EVENT_EVERY === 0;
      if (at === 0 || event)
        lines.push(`P.01(${stamp(end, '00')})(${event ? '00C0' : '0000'})(15)(2)(1.5)(kW)(1.8.0)(kWh)`);
      lines.push(`(${((i % 96) / 100).toFixed(3)})(${(i * 0.25).toFixed(3)})`);
    });
    return lines.join('\r\n');
  };
}

const offset = (atMs: number, timeZone: string): number => localMs(atMs, timeZone) - atMs;

/** A meter without season digit gives both hours that come twice when the range touches one of them. */
function instant(digits: string, timeZone: string, isEnd: boolean): number {
  const season = digits.length === 11 ? digits[0] : null;
  const d = digits.slice(-10);
  const local = Date.parse(
    `20${d.slice(0, 2)}-${d.slice(2, 4)}-${d.slice(4, 6)}T${d.slice(6, 8)}:${d.slice(8, 10)}:00Z`,
  );
  const first = instantOf(local, timeZone);
  const twice = localMs(first + 3_600_000, timeZone) === local;
  return twice && (season === '0' || (season === null && isEnd)) ? first + 3_600_000 : first;
}
