/** Meter protocols by the name used in the configuration. A new one is one line. */
import { P1Decoder, readP1 } from '../codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../codecs/iec62056-21/index.ts';
import { readSml, SmlDecoder } from '../codecs/sml/index.ts';
import type { ReceiverName } from '../codecs/wmbus/receivers/index.ts';
import type { RadioMode } from '../codecs/wmbus/receivers/receiver.ts';
import type { Link } from '../domain/link.ts';
import type { ResourceManager } from '../domain/resource-manager.ts';
import type { Settings } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import { PolledMeter } from './meters/polled-meter.ts';
import { PushMeter } from './meters/push-meter.ts';
import { WirelessReceiver } from './meters/wmbus/receiver.ts';
import { WirelessMeterSeat } from './meters/wmbus/wireless-meter.ts';

export interface MeterConfig {
  readonly id: string;
  /** Device address of a meter that is asked; empty asks whoever is there. */
  readonly address: string;
  /** How often a meter is asked. */
  readonly intervalMs: number;
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
  /** The make of a radio receiver, and the mode that it is told to receive. */
  readonly receiver?: ReceiverName | undefined;
  readonly mode?: RadioMode;
  /** What a meter needs kept over a restart. */
  readonly settings?: Settings;
}

/** Meters on the same line are given the same link. */
type OpenMeter = (config: MeterConfig, link: Link, clock: Clock) => ResourceManager;

/** P1 comes every 1 or 10 s, mode D every 1 to 4 s: four times the longest is silence. */
const SILENCE_MS = 40_000;

/** What the meters on one link share: made for the first, found for the others. */
function perLink<T>(make: (link: Link, clock: Clock, config: MeterConfig) => T): typeof make {
  const made = new WeakMap<Link, T>();
  return (link, clock, config) => {
    const shared = made.get(link) ?? make(link, clock, config);
    made.set(link, shared);
    return shared;
  };
}

const receiverOn = perLink(
  (link, clock, { receiver = 'im871a', mode = 'C1+T1' }) =>
    new WirelessReceiver({ receiver, mode }, link, clock),
);

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
  sml: ({ id }, link, clock) =>
    new PushMeter(id, { decoder: () => new SmlDecoder(), read: readSml, silenceMs: SILENCE_MS }, link, clock),
  wmbus: (config, link, clock) => new WirelessMeterSeat(config, receiverOn(link, clock, config), clock),
} as const satisfies Record<string, OpenMeter>;

export type MeterProtocol = keyof typeof METER_PROTOCOLS;
