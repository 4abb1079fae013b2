/** A home as the page sees it: a sunny afternoon with a limit in force, a car that waits and a silent heat meter. */
import { randomBytes } from 'node:crypto';
import { ok, type Result, refuse } from '../../firmware/domain/errors.ts';
import type { Override, Snapshot } from '../../firmware/domain/image.ts';
import type {
  Journal,
  JournalEntry,
  SeriesRow,
  SeriesStore,
  Settings,
  StorageHealth,
} from '../../firmware/domain/storage.ts';
import { fixedTariff } from '../../firmware/domain/tariff.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import type { WebDeps } from '../../firmware/web/server.ts';

import { MIDNIGHT, NOON } from './clock.ts';
import { decided, devicesOf, HOURLY, METERS, prices, RADIO } from './house.ts';

const HOUR = 3_600_000;
const QUARTER = 900_000;

export class Home {
  readonly clock: Clock;
  readonly overrides = new Map<string, Override>();
  readonly entries: (JournalEntry & { id: number })[] = [];
  readonly kept = new Map<string, string>();
  grid_W: number | null = 3840;
  limit_W: number | null = 4200;
  cycle = 1;
  storage: StorageHealth = STORAGE;
  /** What a test makes of the snapshot before it is served. */
  dress: (snapshot: Snapshot) => Snapshot = (snapshot) => snapshot;

  constructor(clock: Clock) {
    this.clock = clock;
    const say = (
      minutes: number,
      kind: JournalEntry['kind'],
      subject: string | null,
      code: string,
      detail = {},
    ) => this.journal.record({ atMs: NOON - minutes * 60_000, kind, subject, code, detail });
    say(1500, 'system', null, 'STARTED', { message: 'the gateway started' });
    say(900, 'signal', 'Day-ahead market', 'importPrice', { kind: 'importPrice' });
    say(310, 'decision', 'boiler', 'PRICE_RUN', { setPoint_W: 2000, price: 0.000167 });
    say(309, 'command', 'boiler', 'SUCCEEDED', { setPoint_W: 2000 });
    say(65, 'rejected', null, 'SIGNAL_INVALID', {
      message: 'intervals[0].payloads: expected an array',
    });
    say(40, 'fault', 'heat', 'SILENT', { before: 'ok', reason: { code: 'TIMEOUT', message: 'no answer' } });
    say(20, 'signal', 'Grid operator', 'importLimit', {
      kind: 'importLimit',
      first: { fromMs: NOON - 19 * 60_000, untilMs: NOON + 70 * 60_000, value: 4200 },
    });
    const values = { limit_W: 4200, source: 'Grid operator', untilMs: NOON + 70 * 60_000, scope: 'site' };
    say(20, 'decision', 'wallbox', 'GRID_LIMIT', {
      setPoint_W: 1380,
      reasons: [{ code: 'GRID_LIMIT', values }],
    });
    say(20, 'command', 'wallbox', 'SUCCEEDED', { setPoint_W: 1380 });
  }

  readonly settings: Settings = {
    get: (name) => this.kept.get(name) ?? null,
    set: (name, value) => void this.kept.set(name, value),
    remove: (name) => void this.kept.delete(name),
  };

  readonly journal: Journal = {
    record: (entry) => void this.entries.push({ ...entry, id: this.entries.length + 1 }),
    read: ({ limit, beforeId = Infinity, kind, subject }) =>
      this.entries
        .filter((e) => e.id < beforeId && (!kind || e.kind === kind) && (!subject || e.subject === subject))
        .toReversed()
        .slice(0, limit),
  };

  /** A register that rises by 400 W all day, and 150 Wh fed in per quarter from 10:00 to 15:00. */
  readonly series: SeriesStore = {
    append: () => {},
    flush: () => {},
    points: () => ['grid/activeEnergyImport/T1', 'grid/activeEnergyImport/T2', 'grid/activeEnergyExport'],
    read: (point, resolution, fromMs, untilMs) => this.#rows(point, resolution, fromMs, untilMs),
  };

  #rows(point: string, resolution: string, fromMs: number, untilMs: number): SeriesRow[] {
    if (resolution !== 'quarter') return [];
    if (point === '_prices/importPrice') return this.#prices(fromMs, untilMs);
    if (!point.startsWith('grid/')) return [];
    const rows: SeriesRow[] = [];
    for (
      let at = Math.ceil(fromMs / QUARTER) * QUARTER;
      at + QUARTER <= Math.min(untilMs, NOON);
      at += QUARTER
    ) {
      const quarters = (at + QUARTER - MIDNIGHT) / QUARTER;
      const sunny = Math.min(20, Math.max(0, quarters - 40));
      const value = point.endsWith('Export') ? 500_000 + 150 * sunny : 900_000 + 100 * quarters;
      if (point.endsWith('T2')) rows.push({ atMs: at, value: 77_000, min: null, max: null, quality: 'good' });
      else rows.push({ atMs: at, value, min: null, max: null, quality: 'good' });
    }
    return rows;
  }

  /** What was kept: of the ten days before today, an hour of each missing. */
  #prices(fromMs: number, untilMs: number): SeriesRow[] {
    const rows: SeriesRow[] = [];
    const last = Math.min(untilMs, MIDNIGHT);
    for (let at = Math.max(fromMs, MIDNIGHT - 240 * HOUR); at < last; at += QUARTER) {
      const hour = (((at - MIDNIGHT) / HOUR) % 24) + (at < MIDNIGHT ? 24 : 0);
      if (hour >= 3 && hour < 4) continue;
      rows.push({
        atMs: at,
        value: HOURLY[Math.floor(hour) % 24] ?? 0,
        min: null,
        max: null,
        quality: 'good',
      });
    }
    return rows;
  }

  setOverride(id: string, override: Override): Result<unknown> {
    if (!this.snapshot().image.devices.some((d) => d.id === id))
      return refuse('NOT_FOUND', `no device ${id}`);
    this.overrides.set(id, override);
    return ok(null);
  }

  snapshot(): Snapshot {
    return this.dress(this.#asItIs());
  }

  #asItIs(): Snapshot {
    const wallMs = this.clock.wallMs();
    const of = (id: string): Override => this.overrides.get(id) ?? { kind: 'automatic' };
    const devices = devicesOf(of);
    const limits =
      this.limit_W === null
        ? []
        : [
            {
              limit_W: this.limit_W,
              source: 'Grid operator',
              signalId: 'limit-1',
              scope: 'site' as const,
              direction: 'import' as const,
              untilMs: NOON + 70 * 60_000,
            },
          ];
    return {
      image: {
        cycle: this.cycle,
        wallMs,
        elapsedMs: this.clock.elapsedMs(),
        wallTrusted: true,
        site: {
          fuse_A: 25,
          phases: 3,
          nominal_V: 230,
          baseWorstCase_W: 1500,
          timeZone: 'Europe/Brussels',
          currency: 'EUR',
          staleAfterMs: 30_000,
          importTariff: [],
          exportTariff: fixedTariff(0.00006),
        },
        grid_W: { value: this.grid_W, ageMs: this.grid_W === null ? Infinity : 800 },
        gridPhase_A: [
          { value: 6, ageMs: 800 },
          { value: 5.2, ageMs: 800 },
          { value: 5.6, ageMs: 800 },
        ],
        devices,
        signals: [prices()],
        nextInstructionId: 12,
      },
      decision: { cycle: this.cycle, wallMs, limits, devices: decided(devices), corrections: [] },
      devices: devices.map(({ id }) => ({
        id,
        instruction: null,
        status: id === 'heat-pump' ? 'ABORTED' : 'SUCCEEDED',
        statusCode: id === 'heat-pump' ? 'TIMEOUT' : null,
      })),
      meters: METERS(wallMs, this.grid_W),
      broker: { connected: true, sinceMs: NOON - 9 * HOUR },
      startedMs: NOON - 30 * HOUR,
      plan: {
        ...{ madeMs: NOON - 20 * 60_000, untilMs: MIDNIGHT + 48 * HOUR, modes: {} },
        bill: 3.3,
        certificate: { cost: 3.32, bound: 3.2, gap: 0.036, source: 'solver' },
        quality: {
          load: { source: 'history', meanError_W: 212, bias_W: -140 },
          solar: { source: 'clear-sky', meanError_W: 1300, bias_W: 20 },
        },
      },
    };
  }
}

/** All is well. */
export const STORAGE: StorageHealth = {
  ...{ mode: 'disk', code: null, tailValues: 0, pendingValues: 0, pendingEntries: 0, heldValues: 0 },
  ...{ undatedValues: 0, failures: {}, lost: 0, commits: 9, lastCommitMs: NOON, lastCommitAgeMs: 0 },
  ...{ size_bytes: 1_000_000, free_bytes: 4_000_000_000 },
};

export function depsOf(home: Home): WebDeps {
  return {
    snapshot: () => home.snapshot(),
    series: home.series,
    journal: home.journal,
    settings: home.settings,
    setOverride: (id, override) => home.setOverride(id, override),
    clock: home.clock,
    random: { next: () => 0.5, bytes: (length) => randomBytes(length) },
    radios: [RADIO],
    radioRows: [{ receiver: 'cul', mode: 'C1+T1', link: { kind: 'serial', path: '/dev/ttyUSB0' } }],
    storage: () => home.storage,
    info: { name: 'Maple Street 12', gridMeter: 'grid', hosts: [], version: '0.1.0' },
  };
}
