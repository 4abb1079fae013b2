/**
 * The telegrams of an M-Bus meter, by cable or by radio, as what the house wants to know: values of now, values of past
 * dates once each, flags when they come and go. What was told is kept over restarts.
 */

import { LIMITS } from '../../domain/limits.ts';
import type { Measurement } from '../../domain/measurement.ts';
import type { MeterEvent } from '../../domain/meter-event.ts';
import type { Quantity } from '../../domain/quantity.ts';
import type { ResourceEvents } from '../../domain/resource-manager.ts';
import type { Settings } from '../../domain/storage.ts';
import type { DataRecord, Telegram } from '../../domain/telegram.ts';
import { type Clock, isWallPlausible } from '../../domain/time.ts';
import { flagEvents, flagsOf } from './mbus-flags.ts';
import { mbusInstant, type PastValue, pastValues } from './mbus-past.ts';
import { measurementsOf, type Received } from './measurements.ts';

export interface ReportOptions {
  /** Of the meter. */
  readonly id: string;
  /** IANA zone of the site: meters send local times. */
  readonly timeZone: string;
  readonly settings?: Pick<Settings, 'get' | 'set'>;
}

interface Told {
  /** Identification number of the meter: what was told of another is nothing to its successor. */
  readonly meter?: string;
  readonly flags: readonly string[];
  /** By OBIS code the latest date of which a value was told. */
  readonly dates: Readonly<Record<string, string>>;
}

/** What has no OBIS code and a place in the model. */
const WITHOUT_OBIS: Readonly<Record<string, Quantity>> = { batteryLife: 'batteryRemaining' };
/** A date so far ahead of the gateway's is one to come, not one that was. */
const AHEAD_MS = 86_400_000;

export class MbusReport {
  private readonly options: ReportOptions;
  private readonly clock: Clock;
  private told: Told;

  constructor(options: ReportOptions, clock: Clock) {
    this.options = options;
    this.clock = clock;
    this.told = toldFrom(options.settings?.get(this.setting()) ?? null);
  }

  /** One readout or one telegram by radio of a meter, by its identification number; `statuses` of its headers. */
  tell(events: ResourceEvents, shown: readonly Telegram[], statuses: readonly number[], meter: string): void {
    const telegrams = shown.map(withoutInvalid);
    const { id, timeZone, settings } = this.options;
    if ((this.told.meter ?? meter) !== meter) this.told = { flags: [], dates: {} };
    const received = { source: id, wallMs: this.clock.wallMs(), elapsedMs: this.clock.elapsedMs() };
    events.measured(presentValues(telegrams, received, timeZone));
    const records = telegrams.flatMap((telegram) => telegram.records ?? []);
    const flags = flagsOf(statuses, records, this.told.flags);
    const changes = flagEvents(this.told.flags, flags);
    const past = this.freshPast(telegrams, received);
    if (changes.length === 0 && past.length === 0) return;
    this.told = { meter, flags, dates: latestDates(this.told.dates, past) };
    events.history?.(past.flatMap((value) => historyOf(value, received, timeZone)));
    for (const event of [...changes, ...pastEvents(past, timeZone)]) events.noted?.(event);
    settings?.set(this.setting(), JSON.stringify(this.told));
  }

  /** Oldest first. A gateway that does not know the time cannot tell past from future, and waits. */
  private freshPast(telegrams: readonly Telegram[], { wallMs }: Received): PastValue[] {
    if (!isWallPlausible(wallMs)) return [];
    const { timeZone } = this.options;
    const once = new Map(
      pastValues(telegrams).map((value) => [`${value.reading.obis}@${value.date}`, value]),
    );
    return [...once.values()]
      .filter(({ reading, date }) => {
        if (date <= (this.told.dates[reading.obis] ?? '')) return false;
        const atMs = mbusInstant(date, timeZone);
        return atMs !== null && atMs < wallMs + AHEAD_MS;
      })
      .sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  private setting(): string {
    return `mbus.${this.options.id}.told`;
  }
}

/** A number that the meter marks as none is shown by the decoder, and nothing that the house may count with. */
const withoutInvalid = (telegram: Telegram): Telegram => ({
  ...telegram,
  readings: telegram.readings.map((reading) =>
    reading.quality === 'invalid' && reading.value !== undefined ? { ...reading, value: null } : reading,
  ),
});

/** Reads what `JSON.stringify` made of it; anything else is nothing. */
function toldFrom(text: string | null): Told {
  try {
    const { meter, flags, dates } = JSON.parse(text ?? '{}') as Partial<Told>;
    return {
      ...(typeof meter === 'string' && { meter }),
      flags: Array.isArray(flags) ? flags.filter((flag) => typeof flag === 'string') : [],
      dates: Object.fromEntries(Object.entries(dates ?? {}).filter(([, date]) => typeof date === 'string')),
    };
  } catch {
    return { flags: [], dates: {} };
  }
}

/** Anybody on the air can make up registers: those that came first make room. */
function latestDates(before: Told['dates'], past: readonly PastValue[]): Told['dates'] {
  const dates = new Map([
    ...Object.entries(before),
    ...past.map(({ reading, date }) => [reading.obis, date] as const),
  ]);
  return Object.fromEntries([...dates].slice(-LIMITS.mbusDatedRegisters));
}

/** The latest dates; a long history goes into the series and would only fill the journal. */
function pastEvents(past: readonly PastValue[], timeZone: string): MeterEvent[] {
  return past.slice(-LIMITS.mbusStoredEvents).map(({ reading, date }) => ({
    code: 'STORED_VALUE',
    atMs: mbusInstant(date, timeZone),
    detail: { obis: reading.obis, value: reading.value ?? null, unit: reading.unit ?? null, date },
  }));
}

/** Each stamped with its date. */
function historyOf({ reading, date }: PastValue, received: Received, timeZone: string): Measurement[] {
  const atMs = mbusInstant(date, timeZone);
  return atMs === null ? [] : measurementsOf({ readings: [reading] }, { ...received, wallMs: atMs }, atMs);
}

function presentValues(telegrams: readonly Telegram[], received: Received, timeZone: string): Measurement[] {
  const time = telegrams.find((telegram) => telegram.time !== undefined)?.time;
  const meterTimeMs = time === undefined ? null : mbusInstant(time, timeZone);
  const readings = telegrams.flatMap((telegram) => telegram.readings);
  const others = telegrams.flatMap(({ records }) => (records ?? []).flatMap(withoutObis));
  return [
    ...measurementsOf({ readings }, received, meterTimeMs),
    ...others.map(
      ({ quantity, value }): Measurement => ({
        point: { source: received.source, quantity, phase: 0, tariff: 0, channel: 0 },
        value,
        quality: value === null ? 'invalid' : 'good',
        meterTimeMs,
        receivedMs: received.wallMs,
        receivedElapsedMs: received.elapsedMs,
      }),
    ),
  ];
}

function withoutObis(record: DataRecord): { readonly quantity: Quantity; readonly value: number | null }[] {
  const quantity = WITHOUT_OBIS[record.quantity ?? ''];
  if (!quantity || record.storage !== 0 || record.function !== 'inst' || record.value === undefined)
    return [];
  return [{ quantity, value: record.quality === 'invalid' ? null : record.value }];
}
