/** Meter protocols by the name used in the configuration. A new one is one line. */
import { P1Decoder, readP1 } from '../codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../codecs/iec62056-21/index.ts';
import { readSml, SmlDecoder } from '../codecs/sml/index.ts';
import type { Link } from '../domain/link.ts';
import type { ResourceManager } from '../domain/resource-manager.ts';
import type { Settings, WriteBudget } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import { type MbusSettings, openMbusMeter } from './meters/mbus/index.ts';
import { PolledMeter } from './meters/polled-meter.ts';
import { PushMeter } from './meters/push-meter.ts';

export interface MeterConfig {
  readonly id: string;
  /** Device address of a meter that is asked; empty asks whoever is there. */
  readonly address: string;
  /** How often a meter is asked. */
  readonly intervalMs: number;
  /** IANA zone of the site: meters send local times. */
  readonly timeZone: string;
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
  /** Where message counters are kept over a restart. */
  readonly settings?: Pick<Settings, 'get' | 'set'>;
  /** Counts the readouts of meters that live on a battery. */
  readonly reads?: Pick<WriteBudget, 'spend'>;
  /** What is particular to wired M-Bus. */
  readonly mbus?: MbusSettings;
}

type OpenMeter = (config: MeterConfig, link: Link, clock: Clock) => ResourceManager;

/** P1 comes every 1 or 10 s, mode D every 1 to 4 s: four times the longest is silence. */
const SILENCE_MS = 40_000;

export const METER_PROTOCOLS = {
  'dsmr-p1': ({ id, key, authKey }, link, clock) => {
    const decoder = () => new P1Decoder({ ...(key && { key }), ...(authKey && { authKey }) });
    return new PushMeter(id, { decoder, read: readP1, silenceMs: SILENCE_MS }, link, clock);
  },
  'iec62056-21': ({ id, address, intervalMs }, link, clock) =>
    new PolledMeter({ id, address, intervalMs }, link, clock),
  'iec62056-21-d': ({ id }, link, clock) => {
    const decoder = () => new ReadoutDecoder({ parity: 'none' });
    return new PushMeter(id, { decoder, read: readReadout, silenceMs: SILENCE_MS }, link, clock);
  },
  mbus: openMbusMeter,
  sml: ({ id }, link, clock) =>
    new PushMeter(id, { decoder: () => new SmlDecoder(), read: readSml, silenceMs: SILENCE_MS }, link, clock),
} as const satisfies Record<string, OpenMeter>;

export type MeterProtocol = keyof typeof METER_PROTOCOLS;
