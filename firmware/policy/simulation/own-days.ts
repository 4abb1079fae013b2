/** The last weeks of this house out of its own store, as days to try contracts on, and what has to be said of them. */
import { localMs } from '../../domain/calendar.ts';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { Site } from '../../domain/image.ts';
import { histories } from '../forecast/past.ts';
import { DAY_MS, QUARTER_MS, type Sample } from '../forecast/series.ts';
import type { Days } from './days.ts';
import { type OwnDevice, rolesOf, type Took } from './own-devices.ts';
import { ownPrices, type PriceSources } from './own-prices.ts';
import { hours, MOST_DAYS, type Span, spanOf } from './own-span.ts';

export interface OwnHouse extends PriceSources {
  readonly gridMeter: string;
  readonly devices: readonly OwnDevice[];
}

export interface OwnDays {
  readonly days: Days;
  /** Sentences: what is measured, what is assumed, what is left out. */
  readonly notes: readonly string[];
}

/** More of the quarter hours without a reading: these are not the days of this house. */
const MOST_GAPS = 0.25;

/** Whole days before `nowMs`. SCENARIO_INVALID where too little is stored, or too few prices are. */
export function ownDays(house: OwnHouse, nowMs: number): Result<OwnDays> {
  const { series, gridMeter, site } = house;
  const took = (id: string): Took => tookOf(series, id, nowMs);
  const roles = rolesOf(house.devices, took);
  const { loads, suns } = histories({ series, gridMeter, ...roles }, nowMs);
  const span = spanOf(loads, nowMs, site.timeZone);
  if (!span) return refuse('SCENARIO_INVALID', 'less than a day is stored');
  // A roof that is silent sleeps; what is simulated and silent hides what the house drew.
  const unheard = new Set(roles.asTold.flatMap((id) => [...silences(took(id), span)]));
  const heard = (s: Sample): boolean => !unheard.has(s.atMs);
  const load = filled(loads.filter(heard), span);
  if (load.gaps > MOST_GAPS * load.kw.length)
    return refuse('SCENARIO_INVALID', `no readings in ${hours(load.gaps)} of ${hours(load.kw.length)} hours`);
  const prices = ownPrices(house, span);
  if (!prices.ok) return prices;
  const { devices, notes } = roles.simulated(span);
  return ok({
    days: {
      format: 'hearth-days/1',
      name: 'This house',
      start: new Date(localMs(span.fromMs, site.timeZone)).toISOString().slice(0, 16),
      time_zone: site.timeZone,
      dt_h: 0.25,
      currency: site.currency,
      grid: { import_max_kw: (site.fuse_A * site.phases * site.nominal_V) / 1000, export_max_kw: 1000 },
      prices: prices.value.prices,
      base_load_kw: load.kw,
      ...(suns.length > 0 && {
        pv_kw: filled([...loads.map(({ atMs }) => ({ atMs, value: 0 })), ...suns], span).kw,
      }),
      ...devices,
    },
    notes: [...notes, ...gapNote(load.gaps), ...prices.value.notes, ...unpriced(site)],
  });
}

/** What a device drew by quarter hour, W. */
function tookOf(series: OwnHouse['series'], id: string, nowMs: number): Took {
  const rows = series.read(`${id}/activePower`, 'quarter', nowMs - MOST_DAYS * DAY_MS, nowMs);
  return rows.flatMap(({ atMs, value }) => (value === null ? [] : [{ atMs, value }]));
}

/** The quarter hours of which a device that was there before says nothing: what the house drew is not known then. */
function* silences(took: Took, { untilMs }: Span): Iterable<number> {
  const known = new Set(took.map((s) => s.atMs));
  for (let atMs = took[0]?.atMs ?? untilMs; atMs < untilMs; atMs += QUARTER_MS)
    if (!known.has(atMs)) yield atMs;
}

/** Gaps hold what was there at the same time of the nearest day. */
function filled(samples: readonly Sample[], { fromMs, untilMs }: Span): { kw: number[]; gaps: number } {
  const known = new Map(samples.map((s) => [Math.round((s.atMs - fromMs) / QUARTER_MS), s.value / 1000]));
  const slots = Math.round((untilMs - fromMs) / QUARTER_MS);
  let gaps = 0;
  const kw = Array.from({ length: slots }, (_, t) => {
    if (!known.has(t)) gaps += 1;
    for (let days = 0; days <= MOST_DAYS; days++) {
      const value = known.get(t - 96 * days) ?? known.get(t + 96 * days);
      if (value !== undefined) return value;
    }
    return 0;
  });
  return { kw, gaps };
}

const gapNote = (gaps: number): string[] =>
  gaps === 0
    ? []
    : [`No readings in ${hours(gaps)} hours: they hold what was there at that time of the nearest day.`];

function unpriced({ peak, co2_perG }: Site): string[] {
  return [
    ...(peak ? ["What the month's peak costs is not in it."] : []),
    ...(co2_perG !== undefined ? ['What CO2 is worth to you is not in it.'] : []),
  ];
}
