/** Meter protocols by the name used in the configuration. A new one is one line. */
import { PushDecoder, readPush } from '../codecs/dlms/index.ts';
import { P1Decoder, readP1 } from '../codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../codecs/iec62056-21/index.ts';
import { readSml, SmlDecoder } from '../codecs/sml/index.ts';
import type { Link } from '../domain/link.ts';
import type { ResourceManager } from '../domain/resource-manager.ts';
import type { Settings } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import { PolledMeter } from './meters/polled-meter.ts';
import { PushMeter, type PushProtocol } from './meters/push-meter.ts';
import { type Ciphered, ReplayGuard } from './meters/replay-guard.ts';

export interface MeterConfig {
  readonly id: string;
  /** Device address of a meter that is asked; empty asks whoever is there. */
  readonly address: string;
  /** How often a meter is asked. */
  readonly intervalMs: number;
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
  /** Where message counters are kept over a restart. */
  readonly settings?: Pick<Settings, 'get' | 'set'>;
}

type OpenMeter = (config: MeterConfig, link: Link, clock: Clock) => ResourceManager;

const keysOf = ({ key, authKey }: MeterConfig) => ({ ...(key && { key }), ...(authKey && { authKey }) });

/** What a key asks for besides deciphering; nothing without one. */
function guarded<F extends { readonly cipher: Ciphered | null }>(
  { id, key, settings }: MeterConfig,
  clock: Clock,
): Pick<PushProtocol<F>, 'guarded'> {
  if (!key) return {};
  return {
    guarded: {
      cipher: (frame) => frame.cipher,
      guard: new ReplayGuard({ id, key, clock, ...(settings && { settings }) }),
    },
  };
}

/** P1 comes every 1 or 10 s, mode D every 1 to 4 s: four times the longest is silence. */
const SILENCE_MS = 40_000;
/** Some HAN ports send once a minute. */
const HAN_SILENCE_MS = 150_000;

export const METER_PROTOCOLS = {
  'dsmr-p1': (config, link, clock) => {
    const decoder = () => new P1Decoder(keysOf(config));
    const protocol = { decoder, read: readP1, silenceMs: SILENCE_MS, ...guarded(config, clock) };
    return new PushMeter(config.id, protocol, link, clock);
  },
  'dlms-push': (config, link, clock) => {
    const decoder = () => new PushDecoder(keysOf(config));
    const protocol = { decoder, read: readPush, silenceMs: HAN_SILENCE_MS, ...guarded(config, clock) };
    return new PushMeter(config.id, protocol, link, clock);
  },
  'iec62056-21': ({ id, address, intervalMs }, link, clock) =>
    new PolledMeter({ id, address, intervalMs }, link, clock),
  'iec62056-21-d': ({ id }, link, clock) => {
    const decoder = () => new ReadoutDecoder({ parity: 'none' });
    return new PushMeter(id, { decoder, read: readReadout, silenceMs: SILENCE_MS }, link, clock);
  },
  sml: ({ id }, link, clock) =>
    new PushMeter(id, { decoder: () => new SmlDecoder(), read: readSml, silenceMs: SILENCE_MS }, link, clock),
} as const satisfies Record<string, OpenMeter>;

export type MeterProtocol = keyof typeof METER_PROTOCOLS;
