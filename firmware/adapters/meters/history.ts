/** Load profile rows as measurements that carry their own time. */
import type { ProfileChannel, ProfileSection } from '../../codecs/load-profile.ts';
import type { Measurement, Point } from '../../domain/measurement.ts';
import { meaningOf, parseObis } from '../../domain/obis.ts';
import { QUANTITIES, toHouseUnit } from '../../domain/quantity.ts';
import type { ElapsedMs, WallMs } from '../../domain/time.ts';

/** D of a mean over a period (4, 5, 24, 25, 27) and of the energy of one period (29). */
const MEANS = new Set([4, 5, 24, 25, 27]);
const PERIOD_ENERGY = 29;
const HOUR_MS = 3_600_000;

/**
 * Rows that end after `afterMs`, none twice. A register stands at the end of its period; a mean and an energy of a
 * period become a mean power that stands at its begin, so that it falls into the quarter hour that it describes.
 */
export function historyOf(
  sections: readonly ProfileSection[],
  source: string,
  afterMs: WallMs,
  elapsedMs: ElapsedMs,
): Measurement[] {
  let lastMs = afterMs;
  return sections.flatMap((section) => {
    const columns = section.channels.map((channel) => columnOf(channel, source, section.periodMs));
    return section.rows
      .filter((row) => {
        const isNew = row.endMs > lastMs;
        if (isNew) lastMs = row.endMs;
        return isNew;
      })
      .flatMap((row) =>
        columns.flatMap((column, i): Measurement[] => {
          if (!column) return [];
          const digits = row.values[i] ?? null;
          const atMs = column.atBegin ? row.endMs - section.periodMs : row.endMs;
          return [
            {
              point: column.point,
              value: digits === null ? null : Number((Number(digits) * column.factor).toPrecision(15)),
              quality: digits === null ? 'missing' : row.quality,
              meterTimeMs: row.endMs,
              receivedMs: atMs,
              receivedElapsedMs: elapsedMs,
            },
          ];
        }),
      );
  });
}

interface Column {
  readonly point: Point;
  readonly factor: number;
  readonly atBegin: boolean;
}

/** Null for a channel that the house has no quantity for, or whose unit does not fit it. */
function columnOf({ code, unit }: ProfileChannel, source: string, periodMs: number): Column | null {
  const obis = parseObis(code);
  const house = toHouseUnit(unit);
  if (!obis || !house) return null;
  const d = MEANS.has(obis.d) ? 7 : obis.d === PERIOD_ENERGY ? 8 : obis.d;
  const meaning = meaningOf({ ...obis, d });
  if (!meaning || QUANTITIES[meaning.quantity].unit !== house.unit) return null;
  const factor = house.factor.multiply * 10 ** house.factor.exponent;
  const point: Point = { source, ...meaning };
  if (obis.d !== PERIOD_ENERGY) return { point, factor, atBegin: MEANS.has(obis.d) };
  const power = meaningOf({ ...obis, d: 7 });
  return power && { point: { source, ...power }, factor: (factor * HOUR_MS) / periodMs, atBegin: true };
}
