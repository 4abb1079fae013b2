/** What a heat store is to be kept at, and what heating it takes: read from its registered facts by several rules. */
import { offsetMs } from '../domain/calendar.ts';
import type { ComfortBand, HeatStore } from '../domain/flexibility.ts';
import type { WallMs } from '../domain/time.ts';

export type Band = Pick<ComfortBand, 'lo_C' | 'hi_C'>;

/** In force at an instant; without a clock the warmest of them: comfort does not wait. A band that is upside down has no width. */
export function comfortAt({ comfort }: HeatStore, atMs: WallMs | null, timeZone: string): Band {
  const row = atMs === null ? warmest(comfort) : rowAt(comfort, localTime(atMs, timeZone));
  const lo_C = row?.lo_C ?? Number.NEGATIVE_INFINITY;
  return { lo_C, hi_C: Math.max(lo_C, row?.hi_C ?? Number.POSITIVE_INFINITY) };
}

const warmest = (comfort: HeatStore['comfort']): ComfortBand | undefined =>
  comfort.reduce<ComfortBand | undefined>((best, x) => (best && best.lo_C >= x.lo_C ? best : x), undefined);

/** Before the first row of a day the last one of the day before holds. */
const rowAt = (comfort: HeatStore['comfort'], time: string): ComfortBand | undefined =>
  comfort.findLast((row) => row.from <= time) ?? comfort.at(-1);

/** `HH:MM` on the clock of the zone. */
function localTime(atMs: WallMs, timeZone: string): string {
  return new Date(atMs + offsetMs(atMs, timeZone)).toISOString().slice(11, 16);
}

const STEADY_K = { tank: 2, house: 0.3 } as const;

/** Width at each edge of a band in which a thermostat stays as it is, so that it does not switch with every tenth. */
export const steady_K = ({ what }: HeatStore, { lo_C, hi_C }: Band): number =>
  Math.min(STEADY_K[what], (hi_C - lo_C) / 4);

/** Heat made of one unit of electricity; 1 where nothing is said. */
export function copAt({ cop }: HeatStore, outdoor_C: number): number {
  const above = cop.findIndex((row) => row.outdoor_C >= outdoor_C);
  const b = cop[above < 0 ? cop.length - 1 : above];
  const a = cop[above - 1];
  if (!b) return 1;
  if (above <= 0 || !a) return b.cop;
  const share = (outdoor_C - a.outdoor_C) / Math.max(1e-9, b.outdoor_C - a.outdoor_C);
  return a.cop + share * (b.cop - a.cop);
}

/** Whether what it will take depends on the weather. */
export const needsOutdoor = ({ ambient_C, cop }: HeatStore): boolean => ambient_C === null || cop.length > 1;
