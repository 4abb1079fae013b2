/**
 * The meters behind a P1 port (M-Bus channels 1…4): gas, water, heat, a second electricity meter. A meter that was
 * swapped leaves its channel behind with its last value: of two of a kind the one with the newest time counts.
 */
import type { Measurement, Point } from '../../domain/measurement.ts';
import type { MeterEvent } from '../../domain/meter-event.ts';
import type { Quantity } from '../../domain/quantity.ts';
import type { Reading } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import type { Received } from './measurements.ts';

/** A meter that has not reported for so long, while its telegrams go on, is gone. Water may report once a day. */
const STALE_MS = 48 * 3_600_000;
const READING = /^0-([1-4]):24\.(2\.[1-9]|3\.0)(?:\*255)?$/;
const JOULE_PER_WH = 3600;

interface Channel {
  readonly number: number;
  /** EN 13757-3 device type, null when the channel says none that can be. */
  readonly type: number | null;
  readonly id: string;
  /** When the value was captured; null when the meter gives no such time. */
  readonly atMs: WallMs | null;
  readonly value: number | null;
  readonly unit: string;
}

/** Device types of EN 13757-3, table 10, as the quantity that their register counts; by unit where it decides more. */
const HEAT = new Set([4, 12]);
const COOLING = new Set([10, 11, 13]);

function measuredBy({ type, value, unit }: Channel): { quantity: Quantity; value: number | null } | null {
  if (unit === 'm3') return { quantity: 'volume', value };
  if (unit !== 'J' && unit !== 'Wh') return null;
  const energy = value === null || unit === 'Wh' ? value : value / JOULE_PER_WH;
  if (type === 2) return { quantity: 'activeEnergyImport', value: energy };
  if (type !== null && COOLING.has(type)) return { quantity: 'coolingEnergy', value: energy };
  // J is never electricity; Wh of an unknown type could be anything.
  return unit === 'J' || (type !== null && HEAT.has(type)) ? { quantity: 'heatEnergy', value: energy } : null;
}

/**
 * The channels of a telegram, each by one code: a gas meter may send its volume at base conditions (24.2.1) and as it
 * was measured (24.2.3), which are two series. `timeOf` reads a stamp as the meter's zone has it.
 */
export function channelsOf(readings: readonly Reading[], timeOf: (text: string) => WallMs | null): Channel[] {
  const text = (code: string): string | undefined => readings.find((r) => r.obis === code)?.text;
  const codes = new Map<number, string>();
  const channels = readings.flatMap((reading) => {
    const [, channel = '0', code = ''] = READING.exec(reading.obis ?? '') ?? [];
    const number = Number(channel);
    // A stamp of 63 and 25 fills the place of a value that never was.
    if (number === 0 || reading.values?.[0]?.quality === 'invalid') return [];
    const best = codes.get(number);
    if (best === undefined || code < best) codes.set(number, code);
    const type = Number(text(`0-${number}:24.1.0`) || Number.NaN);
    const id = [`0-${number}:96.1.0`, `0-${number}:96.1.1`, `0-${number}:96.1.2`].map(text).find(Boolean);
    // DSMR 3 gives the time of a gas reading without season, as the text of the first bracket.
    const stamp = reading.time ?? reading.values?.[0]?.text;
    return {
      code,
      number,
      type: type > 0 && type < 256 ? type : null,
      id: id ?? '',
      atMs: stamp === undefined ? null : timeOf(stamp),
      value: typeof reading.value === 'number' ? reading.value : null,
      unit: reading.unit ?? '',
    };
  });
  return channels.filter(({ number, code }) => code === codes.get(number));
}

export class ChannelBook {
  /** Capture time of the value that was given out last, by channel. */
  private readonly given = new Map<number, number>();
  private readonly ids = new Map<number, string>();
  /** The meter that was told to be stale, by channel. */
  private readonly stale = new Map<number, string>();

  /**
   * New values and what is to be said about their meters. A value with its own time is given once and stands at that
   * time, so that the telegrams that repeat it, also after a restart, store nothing twice. `nowMs` is the meter's
   * own clock where it has one: its channels' times come from the same.
   */
  take(
    channels: readonly Channel[],
    received: Received,
    nowMs: WallMs,
  ): { readonly measurements: readonly Measurement[]; readonly events: readonly MeterEvent[] } {
    const measurements: Measurement[] = [];
    const events: MeterEvent[] = [];
    for (const channel of channels) {
      const measured = measuredBy(channel);
      if (!measured || channel.value === null) continue;
      if (this.isStale(channel, channels, nowMs)) {
        events.push(...this.reportStale(channel));
        continue;
      }
      events.push(...this.replaced(channel));
      const { number, atMs } = channel;
      if (this.given.get(number) === (atMs ?? channel.value)) continue;
      this.given.set(number, atMs ?? channel.value);
      const point: Point = {
        source: received.source,
        quantity: measured.quantity,
        phase: 0,
        tariff: 0,
        channel: number,
      };
      measurements.push({
        point,
        value: measured.value,
        quality: 'good',
        meterTimeMs: atMs,
        receivedMs: atMs ?? received.wallMs,
        receivedElapsedMs: received.elapsedMs,
      });
    }
    return { measurements, events };
  }

  /** Much older than now, or than another meter of its kind; or without any time beside one that has it. */
  private isStale(channel: Channel, all: readonly Channel[], nowMs: WallMs): boolean {
    const kin = all.filter((c) => c.number !== channel.number && c.type === channel.type && c.atMs !== null);
    const newest = kin.reduce((most, c) => Math.max(most, c.atMs ?? 0), 0);
    if (channel.atMs === null) return newest > 0;
    return Math.max(newest, nowMs) - channel.atMs > STALE_MS;
  }

  private reportStale({ number, id, atMs }: Channel): MeterEvent[] {
    if (this.stale.get(number) === id) return [];
    this.stale.set(number, id);
    return [{ code: 'STALE_CHANNEL', atMs, detail: { channel: number, id } }];
  }

  private replaced({ number, id, atMs }: Channel): MeterEvent[] {
    const before = this.ids.get(number);
    if (id !== '') this.ids.set(number, id);
    if (before === undefined || id === '' || before === id) return [];
    return [{ code: 'METER_REPLACED', atMs, detail: { channel: number, before, now: id } }];
  }
}
