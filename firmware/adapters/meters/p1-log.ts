/** What a P1 telegram says besides its registers: failures of power, sags and swells, messages, peaks of past months. */
import type { Measurement, Phase } from '../../domain/measurement.ts';
import type { MeterEvent } from '../../domain/meter-event.ts';
import type { Quantity } from '../../domain/quantity.ts';
import type { Reading } from '../../domain/telegram.ts';
import { isWallPlausible, type WallMs } from '../../domain/time.ts';
import type { Received } from './measurements.ts';

/** DSMR 5.0.2, 6.12: counters that have no unit. */
const COUNTERS: ReadonlyMap<string, readonly [Quantity, Phase]> = new Map([
  ['0-0:96.7.21', ['powerFailures', 0]],
  ['0-0:96.7.9', ['longPowerFailures', 0]],
  ['1-0:32.32.0', ['voltageSags', 1]],
  ['1-0:52.32.0', ['voltageSags', 2]],
  ['1-0:72.32.0', ['voltageSags', 3]],
  ['1-0:32.36.0', ['voltageSwells', 1]],
  ['1-0:52.36.0', ['voltageSwells', 2]],
  ['1-0:72.36.0', ['voltageSwells', 3]],
]);
const FAILURE_LOG = '1-0:99.97.0';
/** Belgium: the highest quarter hours of the last 13 months (Fluvius e-MUCS P1, 5.2). */
const PEAKS = '0-0:98.1.0';
const MESSAGES = /^0-0:96\.13\.[01]$/;
/** After a start only what happened of late is news; a meter repeats its whole log in each telegram. */
const NEWS_MS = 86_400_000;
const NEVER_S = 2_147_483_000;

export class P1Log {
  private readonly counts = new Map<string, number>();
  private readonly messages = new Map<string, string>();
  private lastFailureMs: WallMs | null = null;
  private lastPeakMs: WallMs = 0;

  /** Counters that have changed. */
  counters(readings: readonly Reading[], received: Received, meterTimeMs: WallMs | null): Measurement[] {
    return readings.flatMap(({ obis = '', text = '' }): Measurement[] => {
      const [quantity, phase] = COUNTERS.get(obis) ?? [];
      if (!quantity || phase === undefined || !/^\d{1,9}$/.test(text)) return [];
      const value = Number(text);
      if (this.counts.get(obis) === value) return [];
      this.counts.set(obis, value);
      return [
        {
          point: { source: received.source, quantity, phase, tariff: 0, channel: 0 },
          value,
          quality: 'good',
          meterTimeMs,
          receivedMs: received.wallMs,
          receivedElapsedMs: received.elapsedMs,
        },
      ];
    });
  }

  /** Failures of power that are new, oldest first: the log holds the end of each and how long it lasted. */
  failures(
    readings: readonly Reading[],
    timeOf: (text: string) => WallMs | null,
    wallMs: WallMs,
  ): MeterEvent[] {
    const values = readings.find((r) => r.obis === FAILURE_LOG)?.values ?? [];
    const afterMs = this.lastFailureMs ?? (isWallPlausible(wallMs) ? wallMs - NEWS_MS : Infinity);
    const events = values.flatMap(({ time }, i): MeterEvent[] => {
      const endMs = time === undefined ? null : timeOf(time);
      const duration_s = values[i + 1]?.value;
      if (endMs === null || typeof duration_s !== 'number' || duration_s >= NEVER_S) return [];
      return endMs > afterMs ? [{ code: 'POWER_FAILURE', atMs: endMs, detail: { duration_s } }] : [];
    });
    events.sort((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0));
    this.lastFailureMs = events.at(-1)?.atMs ?? this.lastFailureMs;
    return events;
  }

  /**
   * The peaks of months that are new: the end of the month, the end of its highest quarter hour, and the mean of that
   * quarter. They stand at the quarter hour, whose register the meter has long forgotten.
   */
  peaks(
    readings: readonly Reading[],
    timeOf: (text: string) => WallMs | null,
    { source, elapsedMs }: Received,
  ): Measurement[] {
    const values = readings.find((r) => r.obis === PEAKS)?.values ?? [];
    const afterMs = this.lastPeakMs;
    return values.flatMap(({ value, unit }, i): Measurement[] => {
      const [month, quarter] = [values[i - 2]?.time, values[i - 1]?.time];
      const monthMs = month === undefined ? null : timeOf(month);
      const atMs = quarter === undefined ? null : timeOf(quarter);
      if (typeof value !== 'number' || unit !== 'W' || monthMs === null || atMs === null) return [];
      if (monthMs <= afterMs) return [];
      this.lastPeakMs = Math.max(this.lastPeakMs, monthMs);
      const point = { source, quantity: 'activeDemandPeak', phase: 0, tariff: 0, channel: 0 } as const;
      return [
        {
          point,
          value,
          quality: 'good',
          meterTimeMs: monthMs,
          receivedMs: atMs,
          receivedElapsedMs: elapsedMs,
        },
      ];
    });
  }

  /** Messages that were not there before; the hexadecimal digits stand for text. */
  texts(readings: readonly Reading[]): MeterEvent[] {
    return readings.flatMap(({ obis = '', text = '' }): MeterEvent[] => {
      if (!MESSAGES.test(obis) || this.messages.get(obis) === text) return [];
      this.messages.set(obis, text);
      const message = plain(text);
      return message === '' ? [] : [{ code: 'TEXT_MESSAGE', atMs: null, detail: { message } }];
    });
  }
}

/** Up to 1024 characters, none of them a control character (DSMR 5.0.2, 6.5). */
function plain(text: string): string {
  const decoded = /^([0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, 'hex').toString('utf8') : text;
  return decoded
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 1024);
}
