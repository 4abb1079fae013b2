/** COSEM date-times as instants, whatever a maker makes of the deviation. */
import { meterInstant, type Season, standardOffsetMs } from '../../domain/meter-time.ts';
import type { WallMs } from '../../domain/time.ts';
import type { Data } from './axdr.ts';
import { CLOCK_STATUS, type CosemTime, encodeDateTime, readDateTime } from './date-time.ts';

export interface CosemInstant {
  readonly atMs: WallMs;
  /** By the clock status; null when the meter does not give it. */
  readonly season: Season;
  /** Clock status; null when the meter does not give it. */
  readonly status: number | null;
}

const HOUR_MS = 3_600_000;

/** Of a clock or a row of a profile; null when it is no certain instant. `afterMs`: see `meterInstant`. */
export function cosemInstant(
  data: Data | undefined,
  timeZone: string,
  afterMs: WallMs | null = null,
): CosemInstant | null {
  if (data?.kind !== 'octets' && data?.kind !== 'dateTime') return null;
  const time = readDateTime(data.bytes);
  return !time || (time.status ?? 0) & CLOCK_STATUS.invalid ? null : instantOf(time, timeZone, afterMs);
}

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|\+(\d\d):(\d\d))?$/;

/** Of the time of a push, as `rfc3339` of a COSEM date-time writes it; null when it is none. */
export function pushInstant(text: string, timeZone: string): CosemInstant | null {
  const [, local, hours, minutes] = RFC_3339.exec(text) ?? [];
  if (local === undefined || Number.isNaN(Date.parse(`${local}Z`))) return null;
  const deviation_min = hours === undefined ? null : -(Number(hours) * 60 + Number(minutes));
  return instantOf({ local, deviation_min, status: null }, timeZone, null);
}

function instantOf(time: CosemTime, timeZone: string, afterMs: WallMs | null): CosemInstant {
  const local = Date.parse(`${time.local}Z`);
  const { status } = time;
  return {
    atMs: meterInstant(local, seasonOf(time, local, timeZone), timeZone, afterMs),
    season: status === null ? null : status & CLOCK_STATUS.dst ? 'summer' : 'normal',
    status,
  };
}

/**
 * The local time is true. A deviation that is one of the zone's tells which of its two offsets holds, with either
 * sign because some makers invert it; any other one (0 above all) was never set.
 */
function seasonOf({ deviation_min, status }: CosemTime, local: number, timeZone: string): Season {
  if ((status ?? 0) & CLOCK_STATUS.dst) return 'summer';
  const offsetMs = Math.abs(deviation_min ?? 0) * 60_000;
  const standardMs = Math.abs(standardOffsetMs(local, timeZone));
  if (offsetMs === 0) return null;
  return offsetMs === standardMs ? 'normal' : offsetMs === standardMs + HOUR_MS ? 'summer' : null;
}

/** The 12 bytes of an instant, local with its deviation, as a selection by range wants them. */
export function cosemStamp(local: number, atMs: WallMs, summer: boolean): Uint8Array {
  return encodeDateTime({
    local: new Date(local).toISOString().slice(0, 19),
    deviation_min: Math.round((atMs - local) / 60_000),
    status: summer ? CLOCK_STATUS.dst : 0,
  });
}
