/** Wireless meters of a home on simulated time, behind a receiver that hears what it is told. */
import { WirelessReceiver } from '../../firmware/adapters/meters/wmbus/receiver.ts';
import { WirelessMeterSeat } from '../../firmware/adapters/meters/wmbus/wireless-meter.ts';
import type { MeterConfig } from '../../firmware/adapters/registry.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { HeardMeter } from '../../firmware/domain/radio.ts';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { Settings } from '../../firmware/domain/storage.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { ReceiverTwin } from './wmbus-receiver.ts';
import { hex, KAMSTRUP, wireless } from './wmbus-telegram.ts';

export const KEY = hex('000102030405060708090A0B0C0D0E0F');
export const OTHER = hex('0F0E0D0C0B0A09080706050403020100');
/** A record of volume. */
export const litres = (n: number): Uint8Array => {
  const bytes = Uint8Array.of(0x04, 0x13, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(2, n, true);
  return bytes;
};
/** In clear. */
export const plain = (address: Uint8Array, n: number): Uint8Array =>
  wireless(address, hex('7A2A000000'), litres(n));
/** A meter of its own identification number. */
export const numbered = (n: number): Uint8Array =>
  Uint8Array.from(KAMSTRUP, (byte, k) => (k === 2 ? ((n / 10) << 4) | (n % 10) : k === 3 ? 0 : byte));

export interface Watched {
  readonly volumes: (number | null)[];
  readonly faults: string[];
  /** Their messages. */
  readonly said: string[];
  readonly health: string[];
  /** Events as code and flag or date. */
  readonly told: unknown[];
  readonly kept: (number | null)[];
}

export function watch(meter: ResourceManager): Watched {
  const volumes: (number | null)[] = [];
  const faults: string[] = [];
  const said: string[] = [];
  const health: string[] = [];
  const told: unknown[] = [];
  const kept: (number | null)[] = [];
  meter.open({
    measured: (all: readonly Measurement[]) =>
      void volumes.push(...all.filter((m) => m.point.quantity === 'volume').map((m) => m.value)),
    flexibility: () => {},
    status: () => {},
    health: (h) => void health.push(h),
    fault: (f) => {
      faults.push(f.code);
      said.push(f.message);
    },
    noted: ({ code, detail }) => void told.push([code, detail.flag ?? detail.date]),
    history: (values) => void kept.push(...values.map((m) => m.value)),
  });
  return { volumes, faults, said, health, told, kept };
}

/** A receiver on simulated time, with what came of its meters. */
export function onSimulatedTime(
  configs: Partial<MeterConfig>[],
  noticed: (m: HeardMeter) => void = () => {},
) {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  const run = (ms: number): Promise<void> => clock.advanceTo(clock.elapsedMs() + ms);
  const { link, twin: end } = simulatedLine(clock, 'radio');
  const twin = new ReceiverTwin('im871a', (bytes) => end.write(bytes));
  end.onBytes((bytes) => twin.take(bytes));
  const receiver = new WirelessReceiver({ receiver: 'im871a', mode: 'C1+T1' }, link, clock, noticed);
  const seats = configs.map(
    (c, k) =>
      new WirelessMeterSeat(
        { id: `m${k}`, address: '12345678', timeZone: 'Europe/Berlin', ...c },
        receiver,
        clock,
      ),
  );
  const watched = seats.map(watch);
  const hear = async (telegram: Uint8Array): Promise<void> => {
    twin.hear(telegram);
    await run(1_000);
  };
  return { run, twin, end, receiver, seats, watched, hear };
}

/** What is kept over a restart. */
export function keptSettings(): Settings {
  const kept = new Map<string, string>();
  return {
    get: (name: string) => kept.get(name) ?? null,
    set: (name: string, value: string) => void kept.set(name, value),
    remove: (name: string) => void kept.delete(name),
  };
}
