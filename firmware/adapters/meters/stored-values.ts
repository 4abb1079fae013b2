/**
 * Values that a meter froze at a reset of its billing period, `1.8.0*01`, `1.8.0&02`, with the time of that reset,
 * `0.1.2*01`: as measurements that carry it. Without the time they are shown by `hearth decode` and not stored.
 */
import { readStamp } from '../../codecs/iec62056-21/index.ts';
import type { Measurement } from '../../domain/measurement.ts';
import { meterInstant } from '../../domain/meter-time.ts';
import { meaningOf, parseObis } from '../../domain/obis.ts';
import { QUANTITIES } from '../../domain/quantity.ts';
import type { Reading } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import type { Received } from './measurements.ts';

/** A value of the present has F = 255; 0 to 99 count resets. */
const RESETS_MAX = 99;

export class StoredValues {
  private readonly timeZone: string;
  /** The newest reset whose values were given. */
  private givenMs: WallMs = 0;

  constructor(timeZone: string) {
    this.timeZone = timeZone;
  }

  /** Those of resets that have not been given, oldest first. */
  take(readings: readonly Reading[], { source, elapsedMs }: Received): readonly Measurement[] {
    const resets = this.resets(readings);
    const values = readings.flatMap((reading): Measurement[] => {
      const obis = parseObis(reading.obis ?? '');
      const atMs = obis && resets.get(obis.f);
      const meaning = obis && meaningOf({ ...obis, f: 255 });
      if (!atMs || !meaning || atMs <= this.givenMs) return [];
      const { unit, kind } = QUANTITIES[meaning.quantity];
      // A maximum has a time of its own, and is no register.
      if (kind !== 'cumulative' || typeof reading.value !== 'number' || reading.unit !== unit) return [];
      const { quantity, phase, tariff, channel } = meaning;
      const point = { source, quantity, phase, tariff, channel };
      const quality = reading.quality ?? 'good';
      return [
        {
          point,
          value: reading.value,
          quality,
          meterTimeMs: atMs,
          receivedMs: atMs,
          receivedElapsedMs: elapsedMs,
        },
      ];
    });
    this.givenMs = Math.max(this.givenMs, ...resets.values());
    return values.sort((a, b) => a.receivedMs - b.receivedMs);
  }

  /** By F, the number of the reset. */
  private resets(readings: readonly Reading[]): ReadonlyMap<number, WallMs> {
    return new Map(
      readings.flatMap(({ obis = '', text = '' }): [number, WallMs][] => {
        const code = parseObis(obis);
        if (code?.c !== 0 || code.d !== 1 || code.e !== 2 || code.f > RESETS_MAX) return [];
        const stamp = readStamp(text);
        return stamp ? [[code.f, meterInstant(stamp.local, stamp.season, this.timeZone)]] : [];
      }),
    );
  }
}
