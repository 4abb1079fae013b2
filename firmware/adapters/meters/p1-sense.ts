/** What a P1 telegram means for the house, in the zone of the site: registers, channels, clock, events. */
import type { MeterEvent } from '../../domain/meter-event.ts';
import { meterInstant, type Season } from '../../domain/meter-time.ts';
import type { Telegram } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import { ClockWatch } from './clock-watch.ts';
import { measurementsOf, type Received } from './measurements.ts';
import { ChannelBook, channelsOf } from './p1-channels.ts';
import { P1Log } from './p1-log.ts';
import type { Sense } from './sense.ts';

/** RFC 3339 as the codec writes P1's stamps, or their digits alone. */
const WITH_SEASON = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\+0[12]:00)$/;
const DIGITS = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;

/**
 * S and W say summer and winter; which offsets these are, the zone knows: +03:00 and +02:00 in Lithuania and Finland,
 * +01:00 and +00:00 in Ireland.
 */
export function p1Time(text: string, timeZone: string): { atMs: WallMs; season: Season } | null {
  const stamp = WITH_SEASON.exec(text);
  const digits = DIGITS.exec(text);
  const local = stamp
    ? Date.parse(`${stamp[1]}Z`)
    : digits
      ? Date.parse(`20${digits[1]}-${digits[2]}-${digits[3]}T${digits[4]}:${digits[5]}:${digits[6]}Z`)
      : Number.NaN;
  if (Number.isNaN(local)) return null;
  const season: Season = stamp ? (stamp[2] === '+02:00' ? 'summer' : 'normal') : null;
  return { atMs: meterInstant(local, season, timeZone), season };
}

export function p1Sense(source: string, timeZone: string): (telegram: Telegram, received: Received) => Sense {
  const watch = new ClockWatch(source, timeZone);
  const channels = new ChannelBook();
  const log = new P1Log();
  let meter: string | null = null;
  const timeOf = (text: string): WallMs | null => p1Time(text, timeZone)?.atMs ?? null;
  return (telegram, received) => {
    const { readings } = telegram;
    const time = telegram.time === undefined ? null : p1Time(telegram.time, timeZone);
    const own = readings.filter((r) => !/^0-[1-9]:/.test(r.obis ?? ''));
    const behind = channels.take(channelsOf(readings, timeOf), received, time?.atMs ?? received.wallMs);
    const clock = time && watch.see(time.atMs, time.season, received.wallMs, received.elapsedMs);
    const now = telegram.meter?.id ?? null;
    const replaced: MeterEvent[] =
      meter !== null && now !== null && meter !== now
        ? [{ code: 'METER_REPLACED', atMs: time?.atMs ?? null, detail: { before: meter, now } }]
        : [];
    meter = now ?? meter;
    return {
      measurements: [
        ...measurementsOf({ readings: own }, received, time?.atMs ?? null),
        ...log.counters(own, received, time?.atMs ?? null),
        ...behind.measurements,
        ...(clock?.drift ? [clock.drift] : []),
      ],
      history: log.peaks(own, timeOf, received),
      events: [
        ...replaced,
        ...(clock?.events ?? []),
        ...behind.events,
        ...log.failures(own, timeOf, received.wallMs),
        ...log.texts(own),
      ],
    };
  };
}
