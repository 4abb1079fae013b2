/** What an M-Bus meter, by cable or by radio, says is wrong with it: told once when it comes and once when it goes. */
import { statusFlags } from '../../codecs/mbus/status.ts';
import type { MeterEvent } from '../../domain/meter-event.ts';
import type { DataRecord } from '../../domain/telegram.ts';

const ERROR_WORD = 'error ';

/**
 * Of the status bytes in the headers, and of the meter's own error word where a bit of it is set. A telegram that
 * does not speak of one of the two leaves it as it was `before`.
 */
export function flagsOf(
  statuses: readonly number[],
  records: readonly DataRecord[],
  before: readonly string[],
): string[] {
  const words = records.filter(({ quantity, storage }) => quantity === 'errorFlags' && storage === 0);
  const kept = before.filter((flag) =>
    flag.startsWith(ERROR_WORD) ? words.length === 0 : statuses.length === 0,
  );
  // Busy passes by itself, and who reads it says so already.
  const flags = statuses.flatMap(statusFlags).filter((flag) => flag !== 'busy');
  return [...new Set([...kept, ...flags, ...words.flatMap(errorWord)])];
}

/** VIF FDh 17h. */
function errorWord({ value, hex }: DataRecord): string[] {
  const word = hex ?? (value == null ? '' : value.toString(16).toUpperCase());
  return /[1-9A-F]/i.test(word) ? [`${ERROR_WORD}${word}`] : [];
}

/** The events between two telegrams of one meter. */
export function flagEvents(before: readonly string[], now: readonly string[]): MeterEvent[] {
  const fresh = now.filter((flag) => !before.includes(flag));
  const over = before.filter((flag) => !now.includes(flag));
  return [...fresh.map((flag) => eventOf(flag, true)), ...over.map((flag) => eventOf(flag, false))];
}

function eventOf(flag: string, isSet: boolean): MeterEvent {
  const battery = isSet ? 'BATTERY_LOW' : 'BATTERY_GOOD';
  const alarm = isSet ? 'METER_ALARM' : 'METER_ALARM_OVER';
  return { code: flag === 'lowBattery' ? battery : alarm, atMs: null, detail: { flag } };
}
