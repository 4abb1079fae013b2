/** The last weeks of this house out of its own store, as days to try contracts on. */
import { localMs, startOfDay } from '../../domain/calendar.ts';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { Site } from '../../domain/image.ts';
import type { SeriesStore } from '../../domain/storage.ts';
import { type Tariff, tariffAt } from '../../domain/tariff.ts';
import { histories } from '../forecast/past.ts';
import { DAY_MS, QUARTER_MS, type Sample } from '../forecast/series.ts';
import type { Days } from './days.ts';

export interface OwnHouse {
  readonly series: Pick<SeriesStore, 'read'>;
  readonly site: Site;
  readonly gridMeter: string;
  readonly devices: readonly {
    readonly id: string;
    /** What it wants every day by when; null: its draw stays base load. */
    readonly deadline: { readonly time: string; readonly energy_Wh: number } | null;
  }[];
}

const MOST_DAYS = 28;
/** A day with fewer quarter hours than this is not counted as seen. */
const LEAST_QUARTERS = 48;

/** Whole days before `nowMs`, at what the contract fixes (or 0). Gaps hold what was there the day before. */
export function ownDays(house: OwnHouse, nowMs: number): Result<Days & { gaps: number }> {
  const { series, gridMeter, site } = house;
  const produces = (id: string): boolean => meanOf(series, id, nowMs) < 0;
  const producers = house.devices.filter((d) => produces(d.id)).map((d) => d.id);
  const car = house.devices.find((d) => d.deadline && !producers.includes(d.id));
  const planned = car ? [car.id] : [];
  const { loads, suns } = histories({ series, gridMeter, planned, producers }, nowMs);
  const untilMs = startOfDay(nowMs, site.timeZone);
  const first = loads.find((s) => s.atMs >= untilMs - MOST_DAYS * DAY_MS)?.atMs ?? untilMs;
  const fromMs = startOfDay(first + DAY_MS - 1, site.timeZone);
  const slots = Math.round((untilMs - fromMs) / DAY_MS) * 96;
  if (slots < 96 || loads.filter((s) => s.atMs >= fromMs).length < LEAST_QUARTERS)
    return refuse('SCENARIO_INVALID', 'less than a day is stored');
  const load = filled(loads, fromMs, slots);
  const sun = filled(suns, fromMs, slots);
  const prices = (tariff: Tariff): number[] =>
    load.kw.map((_, t) => (tariffAt(tariff, site.timeZone, fromMs + t * QUARTER_MS) ?? 0) * 1000);
  return ok({
    format: 'hearth-days/1',
    name: 'This house',
    start: new Date(localMs(fromMs, site.timeZone)).toISOString().slice(0, 16),
    dt_h: 0.25,
    currency: site.currency,
    grid: { import_max_kw: (site.fuse_A * site.phases * site.nominal_V) / 1000, export_max_kw: 1000 },
    prices: { import: prices(site.importTariff), export: prices(site.exportTariff) },
    base_load_kw: load.kw,
    ...(suns.length > 0 && { pv_kw: sun.kw }),
    ...(car?.deadline && { car: carOf(series, car.id, car.deadline, nowMs) }),
    gaps: load.gaps,
  });
}

/** From one deadline to the next it is there; what it took at most in a quarter hour is its power. */
function carOf(
  series: OwnHouse['series'],
  id: string,
  deadline: { readonly time: string; readonly energy_Wh: number },
  nowMs: number,
): NonNullable<Days['car']> {
  const need_kwh = deadline.energy_Wh / 1000;
  let most = 0;
  for (const { value } of rowsOf(series, id, nowMs)) most = Math.max(most, value ?? 0);
  const max_kw = Math.max(most / 1000, need_kwh / 8);
  return { arrives: deadline.time, leaves: deadline.time, need_kwh, min_kw: Math.min(1.38, max_kw), max_kw };
}

const rowsOf = (series: OwnHouse['series'], id: string, nowMs: number): ReturnType<SeriesStore['read']> =>
  series.read(`${id}/activePower`, 'quarter', nowMs - MOST_DAYS * DAY_MS, nowMs);

function meanOf(series: OwnHouse['series'], id: string, nowMs: number): number {
  return rowsOf(series, id, nowMs).reduce((sum, { value }) => sum + (value ?? 0), 0);
}

function filled(samples: readonly Sample[], fromMs: number, slots: number): { kw: number[]; gaps: number } {
  const known = new Map(samples.map((s) => [Math.round((s.atMs - fromMs) / QUARTER_MS), s.value / 1000]));
  let gaps = 0;
  const kw: number[] = [];
  for (let t = 0; t < slots; t++) {
    const value = known.get(t);
    if (value === undefined) gaps += 1;
    kw.push(value ?? kw[t - 96] ?? 0);
  }
  return { kw, gaps };
}
