/** A telegram's readings as measurements of the house, through the one OBIS table. */
import { type Measurement, pointKey } from '../../domain/measurement.ts';
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
 * Only what has a quantity and its unit; the first of a point that comes twice, but a magnitude only where no value
 * with a sign comes, and then doubtful, but for a house that has never delivered. Invalid values stay, as null.
 * `meterTimeMs` is the meter's own time of the telegram, null when it sent none.
 */
export function measurementsOf(
  telegram: Telegram,
  received: Received,
  meterTimeMs: WallMs | null = timeOf(telegram),
): Measurement[] {
  const found = new Map<string, Measurement>();
  const magnitudes = new Set<string>();
  for (const reading of telegram.readings) {
    const obis = reading.obis === undefined ? null : parseObis(reading.obis);
    const meaning = obis && meaningOf(obis);
    if (!meaning) continue;
    const value = numberOf(reading, QUANTITIES[meaning.quantity].unit);
    if (value === undefined) continue;
    const { quantity, phase, tariff, channel, unsigned = false } = meaning;
    const point = { source: received.source, quantity, phase, tariff, channel };
    const key = pointKey(point);
    if (found.has(key) && (unsigned || !magnitudes.delete(key))) continue;
    if (unsigned) magnitudes.add(key);
    found.set(key, {
      point,
      value,
      quality: value === null ? 'invalid' : (reading.quality ?? (unsigned ? 'doubtful' : 'good')),
      meterTimeMs,
      receivedMs: received.wallMs,
      receivedElapsedMs: received.elapsedMs,
    });
  }
  const exported = { source: received.source, quantity: 'activeEnergyExport', ...WHOLE } as const;
  const isImport = found.get(pointKey(exported))?.value === 0;
  return [...found].map(([key, m]) => (isImport && magnitudes.has(key) ? { ...m, quality: 'good' } : m));
}

/** The meter itself, over all phases and tariffs. */
const WHOLE = { phase: 0, tariff: 0, channel: 0 } as const;

function timeOf({ time }: Telegram): WallMs | null {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? null : at;
}

/** Null when the meter marks it invalid, undefined when it is not a number of this unit. */
function numberOf(reading: Reading, unit: string): number | null | undefined {
  if (reading.quality === 'invalid' && reading.value == null) return null;
  if (reading.quality === 'missing') return undefined;
  if (typeof reading.value !== 'number') return undefined;
  if (!Number.isFinite(reading.value)) return null;
  // Heat meters count in joules as often as in watt-hours.
  if (reading.unit === 'J' && unit === 'Wh') return reading.value / 3600;
  return (reading.unit ?? '') === unit ? reading.value : undefined;
}
