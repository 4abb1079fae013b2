/** Wired M-Bus meters from their configuration. */
import { parseMeterAddress } from '../../../codecs/mbus/secondary.ts';
import { HearthError } from '../../../domain/errors.ts';
import type { Settings, WriteBudget } from '../../../domain/storage.ts';
import type { Clock } from '../../../domain/time.ts';
import type { MbusBus } from './bus.ts';
import { MbusMeter } from './meter.ts';

/** What is particular to M-Bus in the configuration of a meter. */
export interface MbusSettings {
  readonly baudRate: number;
  /** Readouts a day that its battery can give, repetitions included; null for a meter with power from bus or mains. */
  readonly readsPerDay: number | null;
  /** Sent before a readout: its subcode, or `plain` for one without; null for none. */
  readonly applicationReset: number | 'plain' | null;
  /** What the converter adds to an answer; null for what is usual for its kind of link. */
  readonly latencyMs: number | null;
}

export const MBUS_DEFAULTS = {
  /** As delivered by most makers. */
  baudRate: 2400,
  /** Once an hour: what meters with a battery of ten years and more allow. */
  readsPerDay: 24,
  applicationReset: null,
  latencyMs: null,
} as const satisfies MbusSettings;

export interface MbusMeterConfig {
  readonly id: string;
  readonly address: string;
  readonly intervalMs: number;
  readonly timeZone: string;
  readonly key?: Uint8Array;
  readonly settings?: Pick<Settings, 'get' | 'set'>;
  readonly reads?: Pick<WriteBudget, 'spend'>;
  readonly mbus?: MbusSettings;
}

const NOTHING_KEPT = { get: () => null, set: () => {} };

/** @throws HearthError CONFIG_INVALID when the address is none. */
export function openMbusMeter(config: MbusMeterConfig, bus: MbusBus, clock: Clock): MbusMeter {
  const { id, address, intervalMs, timeZone, key = null, mbus = MBUS_DEFAULTS } = config;
  const target = parseMeterAddress(address);
  if (!target) throw new HearthError('CONFIG_INVALID', `meters: ${id}: "${address}" is no M-Bus address`);
  const { baudRate, readsPerDay, applicationReset } = mbus;
  return new MbusMeter({ id, target, baudRate, intervalMs, readsPerDay, applicationReset, key }, bus, clock, {
    settings: config.settings ?? NOTHING_KEPT,
    reads: config.reads ?? null,
    timeZone,
  });
}
