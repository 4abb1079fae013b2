/** The meter's own clock, from the codes it sends it under. */
import { meterInstant, type Season } from '../../domain/meter-time.ts';
import type { Reading } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import { readStamp } from './stamp.ts';

export interface MeterClock {
  readonly atMs: WallMs;
  readonly season: Season;
}

/** 0.9.1 time and 0.9.2 date, or 0.9.4 both (1.0.0 in meters that follow DLMS codes); null when there is none. */
export function clockOf(readings: readonly Reading[], timeZone: string): MeterClock | null {
  const digits = (code: string): string => {
    const form = new RegExp(`^(?:[01]-[0-9]:)?${code.replaceAll('.', '\\.')}(?:\\*255)?$`);
    const text = readings.find((r) => form.test(r.obis ?? ''))?.text ?? '';
    // `24-03-21`, `20:14:55`; four digits of a year are two too many.
    return text.replace(/^20(\d\d)[-.]/, '$1').replace(/\D/g, '');
  };
  const [time, date] = [digits('0.9.1'), digits('0.9.2')];
  const both = digits('0.9.4') || digits('1.0.0');
  const stamp = readStamp(time && date ? joinedStamp(date, time) : both);
  return stamp && { atMs: meterInstant(stamp.local, stamp.season, timeZone), season: stamp.season };
}

/** The season digit stands before the time, the date or both: seven digits instead of six. */
function joinedStamp(date: string, time: string): string {
  const season = date.length === 7 ? date[0] : time.length === 7 ? time[0] : '';
  return `${season}${date.slice(-6)}${time.slice(-6)}`;
}
