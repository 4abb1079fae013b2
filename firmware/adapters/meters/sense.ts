/** What a telegram means for the house: its registers as measurements, and what is to be said about the meter. */
import { clockOf, type MeterClock } from '../../codecs/iec62056-21/index.ts';
import type { Measurement } from '../../domain/measurement.ts';
import type { MeterEvent } from '../../domain/meter-event.ts';
import { meterInstant } from '../../domain/meter-time.ts';
import type { Telegram } from '../../domain/telegram.ts';
import { ClockWatch } from './clock-watch.ts';
import { measurementsOf, type Received } from './measurements.ts';

export interface Sense {
  readonly measurements: readonly Measurement[];
  readonly events: readonly MeterEvent[];
  /** Values that the meter kept, each with its own time. */
  readonly history?: readonly Measurement[];
}

/** Registers and clock, for a meter that has nothing else to say. `timeOf` reads the time of its telegrams. */
export function clockSense(
  source: string,
  timeZone: string,
  timeOf: (text: string, timeZone: string) => MeterClock | null = ownTime,
): (telegram: Telegram, received: Received) => Sense {
  const watch = new ClockWatch(source, timeZone);
  return (telegram, received) => {
    const { time } = telegram;
    const clock =
      (time === undefined ? null : timeOf(time, timeZone)) ?? clockOf(telegram.readings, timeZone);
    const measurements = measurementsOf(telegram, received, clock?.atMs ?? null);
    if (!clock) return { measurements, events: [] };
    const { drift, events } = watch.see(clock.atMs, clock.season, received.wallMs, received.elapsedMs);
    return { measurements: drift ? [...measurements, drift] : measurements, events };
  };
}

/** RFC 3339; without an offset it is the site's local time. */
function ownTime(time: string, timeZone: string): MeterClock | null {
  const hasOffset = /(?:Z|[+-]\d\d:\d\d)$/.test(time);
  const at = Date.parse(hasOffset ? time : `${time}Z`);
  if (Number.isNaN(at)) return null;
  return { atMs: hasOffset ? at : meterInstant(at, null, timeZone), season: null };
}
