/** Watches a meter's clock against the gateway's, and its season flag against the zone of the site. */
import type { Measurement } from '../../domain/measurement.ts';
import type { MeterEvent } from '../../domain/meter-event.ts';
import { isSummer, type Season } from '../../domain/meter-time.ts';
import { type ElapsedMs, isWallPlausible, type WallMs } from '../../domain/time.ts';

/** A stamp has a resolution of a second and a telegram may be ten seconds old: less than a minute is no drift. */
const DRIFT_MS = 60_000;
const AGREES_MS = 30_000;
/** The drift is stored so often, not with each telegram. */
const STORE_EVERY_MS = 900_000;

export class ClockWatch {
  private readonly source: string;
  private readonly timeZone: string;
  private drifting = false;
  private season: Season = null;
  private wrongSeason = false;
  private storedMs: ElapsedMs | null = null;

  constructor(source: string, timeZone: string) {
    this.source = source;
    this.timeZone = timeZone;
  }

  /** The meter said `meterMs` when the gateway's clock showed `wallMs`. Nothing is judged by a clock that is not set. */
  see(
    meterMs: WallMs,
    season: Season,
    wallMs: WallMs,
    elapsedMs: ElapsedMs,
  ): { readonly events: readonly MeterEvent[]; readonly drift: Measurement | null } {
    if (!isWallPlausible(wallMs)) return { events: [], drift: null };
    const driftMs = meterMs - wallMs;
    const events = [...this.judge(driftMs, meterMs), ...this.flag(season, meterMs, wallMs)];
    const due = this.storedMs === null || elapsedMs - this.storedMs >= STORE_EVERY_MS;
    if (due) this.storedMs = elapsedMs;
    const point = { source: this.source, quantity: 'clockDrift', phase: 0, tariff: 0, channel: 0 } as const;
    const drift: Measurement = {
      point,
      value: Math.round(driftMs / 1000),
      quality: 'good',
      meterTimeMs: meterMs,
      receivedMs: wallMs,
      receivedElapsedMs: elapsedMs,
    };
    return { events, drift: due ? drift : null };
  }

  private judge(driftMs: number, meterMs: WallMs): MeterEvent[] {
    const size = Math.abs(driftMs);
    const detail = { drift_s: Math.round(driftMs / 1000) };
    if (!this.drifting && size > DRIFT_MS) {
      this.drifting = true;
      return [{ code: 'CLOCK_DRIFT', atMs: meterMs, detail }];
    }
    if (this.drifting && size < AGREES_MS) {
      this.drifting = false;
      return [{ code: 'CLOCK_RIGHT', atMs: meterMs, detail }];
    }
    return [];
  }

  private flag(season: Season, meterMs: WallMs, wallMs: WallMs): MeterEvent[] {
    if (season !== 'summer' && season !== 'normal') return [];
    const events: MeterEvent[] = [];
    if (this.season !== null && season !== this.season)
      events.push({ code: 'SEASON_CHANGED', atMs: meterMs, detail: { season } });
    this.season = season;
    const agrees = Math.abs(meterMs - wallMs) < DRIFT_MS;
    // Normal time all the year round and right by it, as Swedish meters keep it, is no mistake.
    const wrong =
      (season === 'summer') !== isSummer(wallMs, this.timeZone) && !(season === 'normal' && agrees);
    if (wrong && !this.wrongSeason)
      events.push({ code: 'SEASON_WRONG', atMs: meterMs, detail: { season, timeZone: this.timeZone } });
    this.wrongSeason = wrong;
    return events;
  }
}
