/**
 * COSEM date-time, 12 bytes (IEC 62056-6-2, 4.1.6.1): year 2, month, day, weekday, hour, minute, second, hundredths,
 * deviation 2 (signed minutes, UTC = local + deviation), clock status. FF in a field: not given.
 */
import type { Quality, Value } from '../../domain/telegram.ts';

export interface CosemTime {
  /** `YYYY-MM-DDThh:mm:ss`, the meter's local time. */
  readonly local: string;
  /** UTC = local + deviation, in minutes; null when the meter does not give it. */
  readonly deviation_min: number | null;
  /** Clock status; null when the meter does not give it. */
  readonly status: number | null;
}

/** Bits of the clock status. */
export const CLOCK_STATUS = {
  invalid: 0x01,
  doubtful: 0x02,
  otherBase: 0x04,
  invalidStatus: 0x08,
  dst: 0x80,
};

const DEVIATION_NONE = -0x8000;

/** Null when the bytes are not one certain instant: wildcards, or no date-time at all. */
export function readDateTime(bytes: Uint8Array): CosemTime | null {
  if (bytes.length !== 12) return null;
  const date = readDate(bytes);
  const time = readTime(bytes, 5);
  if (date === null || time === null) return null;
  const deviation = (((bytes[9] ?? 0) << 24) | ((bytes[10] ?? 0) << 16)) >> 16;
  if (deviation !== DEVIATION_NONE && Math.abs(deviation) > 720) return null;
  const status = bytes[11] ?? 0xff;
  return {
    local: `${date}T${time}`,
    deviation_min: deviation === DEVIATION_NONE ? null : deviation,
    status: status === 0xff ? null : status,
  };
}

/** `YYYY-MM-DD` of the first four bytes; null unless it is a day of the calendar. */
export function readDate(bytes: Uint8Array): string | null {
  const year = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const month = bytes[2] ?? 0;
  const day = bytes[3] ?? 0;
  if (bytes.length < 4 || year < 1970 || year > 2199 || month < 1 || month > 12) return null;
  const last = month === 2 ? (leap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day < 1 || day > last ? null : `${year}-${two(month)}-${two(day)}`;
}

/** `hh:mm:ss` of three bytes; seconds that are not given are 0. */
function readTime(bytes: Uint8Array, at = 0): string | null {
  const [hour, minute, second] = [bytes[at] ?? 255, bytes[at + 1] ?? 255, bytes[at + 2] ?? 255];
  if (hour > 23 || minute > 59 || (second > 59 && second !== 255)) return null;
  return `${two(hour)}:${two(minute)}:${two(second === 255 ? 0 : second)}`;
}

/**
 * RFC 3339. The offset is given for deviations from UTC to UTC+12; a positive one would lie west of Greenwich and
 * is, in Europe, the inverted sign of some makers: then the local time stands alone.
 */
export function rfc3339({ local, deviation_min }: CosemTime): string {
  if (deviation_min === null || deviation_min > 0) return local;
  if (deviation_min === 0) return `${local}Z`;
  return `${local}+${two(Math.floor(-deviation_min / 60))}:${two(-deviation_min % 60)}`;
}

export function qualityOf({ status }: CosemTime): Quality | undefined {
  if (status === null) return undefined;
  if (status & CLOCK_STATUS.invalid) return 'invalid';
  return status & CLOCK_STATUS.doubtful ? 'doubtful' : undefined;
}

export function timeValue(time: CosemTime): Value {
  const quality = qualityOf(time);
  return { time: rfc3339(time), ...(quality && { quality }) };
}

/** The 12 bytes of a local time; hundredths and weekday not given. */
export function encodeDateTime({ local, deviation_min, status }: CosemTime): Uint8Array {
  const [year = 0, month = 255, day = 255, hour = 255, minute = 255, second = 255] = local
    .split(/[-T:]/)
    .map(Number);
  const bytes = Uint8Array.of(0, 0, month, day, 255, hour, minute, second, 255, 0, 0, status ?? 0xff);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, year);
  view.setInt16(9, deviation_min ?? DEVIATION_NONE);
  return bytes;
}

const leap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
