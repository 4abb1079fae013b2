/** Prices that the supply contract fixes: by the date from which they hold, by weekday and local time. Currency per Wh. */
import { instantOf, localMs, msOfTime } from './calendar.ts';
import type { WallMs } from './time.ts';

export interface TariffStep {
  /** Local time `HH:MM`; it holds until the next step of the day, the last one over midnight. */
  readonly from: string;
  /** Steps for weekends are all that counts on a Saturday and Sunday, where there are any; so are those for workdays. */
  readonly days: 'all' | 'workdays' | 'weekends';
  readonly price: number;
}

export interface TariffPeriod {
  /** Local date `YYYY-MM-DD` on which it begins; null: it always has. */
  readonly from: string | null;
  /** A single step is a fixed price. */
  readonly steps: readonly TariffStep[];
  /** Days that count as weekends: local dates `YYYY-MM-DD`, or `MM-DD` of every year. */
  readonly holidays?: readonly string[];
}

/** In order of time; empty: no price is fixed. */
export type Tariff = readonly TariffPeriod[];

/** Half-open [fromMs, untilMs). */
export interface TariffStretch {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  readonly price: number | null;
}

export const fixedPeriod = (price: number): TariffPeriod => ({
  from: null,
  steps: [{ from: '00:00', days: 'all', price }],
});

export const fixedTariff = (price: number): Tariff => [fixedPeriod(price)];

const DAY_MS = 86_400_000;
/** Days of a tariff that are kept worked out: two weeks. */
const MOST_DAYS = 16;

const kept = new WeakMap<Tariff, Map<string, readonly TariffStretch[]>>();

/** Null where the contract fixes nothing. */
export function tariffAt(tariff: Tariff, timeZone: string, atMs: WallMs): number | null {
  return dayOf(tariff, timeZone, atMs).find((s) => s.fromMs <= atMs && atMs < s.untilMs)?.price ?? null;
}

/** From `fromMs` to `untilMs` without a gap. */
export function tariffBetween(
  tariff: Tariff,
  timeZone: string,
  fromMs: WallMs,
  untilMs: WallMs,
): TariffStretch[] {
  const cover: TariffStretch[] = [];
  for (let at = fromMs; at < untilMs; ) {
    const stretch = dayOf(tariff, timeZone, at).find((s) => s.fromMs <= at && at < s.untilMs);
    const end = Math.min(untilMs, stretch?.untilMs ?? untilMs);
    const price = stretch?.price ?? null;
    const last = cover.at(-1);
    if (last && last.price === price) cover.splice(-1, 1, { ...last, untilMs: end });
    else cover.push({ fromMs: at, untilMs: end, price });
    at = end;
  }
  return cover;
}

/** The stretches of the day of UTC that holds the instant: local days begin in the middle of it. */
function dayOf(tariff: Tariff, timeZone: string, atMs: WallMs): readonly TariffStretch[] {
  const fromMs = Math.floor(atMs / DAY_MS) * DAY_MS;
  const days = kept.get(tariff) ?? new Map<string, readonly TariffStretch[]>();
  kept.set(tariff, days);
  const name = `${fromMs} ${timeZone}`;
  let day = days.get(name);
  if (!day) {
    if (days.size >= MOST_DAYS) days.clear();
    day = stretches(tariff, timeZone, fromMs, fromMs + DAY_MS);
    days.set(name, day);
  }
  return day;
}

function stretches(tariff: Tariff, timeZone: string, fromMs: WallMs, untilMs: WallMs): TariffStretch[] {
  const midnight = Math.floor(localMs(fromMs, timeZone) / DAY_MS) * DAY_MS;
  // A day that loses an hour may lie within one of UTC, between two others.
  const days = [midnight, midnight + DAY_MS, midnight + 2 * DAY_MS];
  const edges = days.flatMap((local) =>
    stepsOn(tariff, local).map(({ time, price }) => ({ atMs: instantOf(local + time, timeZone), price })),
  );
  let endMs = untilMs;
  const latestFirst = edges.toReversed().flatMap(({ atMs, price }) => {
    // Steps in the hour that spring skips begin as one, when it is over: the last of them counts.
    const beginMs = Math.min(endMs, Math.max(fromMs, atMs));
    const stretch = { fromMs: beginMs, untilMs: endMs, price };
    endMs = beginMs;
    return stretch.untilMs > stretch.fromMs ? [stretch] : [];
  });
  return latestFirst.toReversed();
}

/** What holds from when on the day that begins at `local`, as milliseconds from its midnight; the first is midnight. */
function stepsOn(tariff: Tariff, local: number): { time: number; price: number | null }[] {
  const date = new Date(local).toISOString().slice(0, 10);
  const period = tariff.findLast(({ from }) => from === null || from <= date);
  if (!period) return [{ time: 0, price: null }];
  const weekday = new Date(local).getUTCDay();
  const isHoliday = period.holidays?.some((day) => day === date || day === date.slice(5));
  const kind = isHoliday || weekday === 0 || weekday === 6 ? 'weekends' : 'workdays';
  const own = period.steps.filter(({ days }) => days === kind);
  const steps = (own.length > 0 ? own : period.steps.filter(({ days }) => days === 'all'))
    .map(({ from, price }) => ({ time: msOfTime(from), price }))
    .sort((a, b) => a.time - b.time);
  const overnight = steps.at(-1)?.price ?? null;
  return steps[0]?.time === 0 ? steps : [{ time: 0, price: overnight }, ...steps];
}
