/** A telegram's readings as measurements of the house, through the one OBIS table. */
import type { Measurement } from '../../domain/measurement.ts';
import { meaningOf, parseObis } from '../../domain/obis.ts';
import { QUANTITIES } from '../../domain/quantity.ts';
import type { Reading, Telegram } from '../../domain/telegram.ts';
import type { ElapsedMs, WallMs } from '../../domain/time.ts';

export interface Received {
  readonly source: string;
  readonly wallMs: WallMs;
  readonly elapsedMs: ElapsedMs;
}

/**
 * Only what has a quantity and its unit; the first of a code that comes twice. Invalid values stay, as null.
 * `meterTimeMs` is the meter's own time of the telegram, null when it sent none.
 */
export function measurementsOf(
  telegram: Telegram,
  received: Received,
  meterTimeMs: WallMs | null = timeOf(telegram),
): Measurement[] {
  const seen = new Set<string>();
  return telegram.readings.flatMap((reading) => {
    const obis = reading.obis === undefined ? null : parseObis(reading.obis);
    const meaning = obis && meaningOf(obis);
    if (!meaning || seen.has(reading.obis ?? '')) return [];
    const value = numberOf(reading, QUANTITIES[meaning.quantity].unit);
    if (value === undefined) return [];
    seen.add(reading.obis ?? '');
    const { quantity, phase, tariff, channel } = meaning;
    return {
      point: { source: received.source, quantity, phase, tariff, channel },
      value,
      quality: value === null ? 'invalid' : (reading.quality ?? 'good'),
      meterTimeMs,
      receivedMs: received.wallMs,
      receivedElapsedMs: received.elapsedMs,
    } satisfies Measurement;
  });
}

function timeOf({ time }: Telegram): WallMs | null {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? null : at;
}

const JOULE_PER_WH = 3600;

/** Null when the meter marks it invalid, undefined when it is not a number of this unit. */
function numberOf(reading: Reading, unit: string): number | null | undefined {
  if (reading.quality === 'invalid' && reading.value == null) return null;
  if (typeof reading.value !== 'number') return undefined;
  // Heat meters count in GJ as often as in kWh.
  if (reading.unit === 'J' && unit === 'Wh') return reading.value / JOULE_PER_WH;
  return (reading.unit ?? '') === unit ? reading.value : undefined;
}
