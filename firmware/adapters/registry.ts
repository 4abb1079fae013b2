/** Meter protocols by the name used in the configuration. A new one is one line. */
import { PushDecoder, pushInstant, readPush } from '../codecs/dlms/index.ts';
import { P1Decoder, readP1 } from '../codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../codecs/iec62056-21/index.ts';
import { readSml, SmlDecoder, type SmlFrame, type SmlQuirks, withDirection } from '../codecs/sml/index.ts';
import type { ReceiverName } from '../codecs/wmbus/receivers/index.ts';
import type { RadioMode } from '../codecs/wmbus/receivers/receiver.ts';
import { HearthError } from '../domain/errors.ts';
import type { Link } from '../domain/link.ts';
import type { Random } from '../domain/random.ts';
import type { ResourceManager } from '../domain/resource-manager.ts';
import type { Settings, WriteBudget } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import { systemRandom } from '../hal/clock.ts';
import { DlmsMeter } from './meters/dlms/meter.ts';
import { DLMS_DEFAULTS, type DlmsOptions } from './meters/dlms/options.ts';
import { LinkTurns } from './meters/link-turns.ts';
import { MbusBus } from './meters/mbus/bus.ts';
import { type MbusSettings, openMbusMeter } from './meters/mbus/index.ts';
import { p1Sense } from './meters/p1-sense.ts';
import { PolledMeter, type PolledOptions } from './meters/polled-meter.ts';
import { PulseMeter, type PulseOptions } from './meters/pulses/pulse-meter.ts';
import { PushMeter, type PushProtocol } from './meters/push-meter.ts';
import { type Ciphered, ReplayGuard } from './meters/replay-guard.ts';
import { clockSense } from './meters/sense.ts';
import { WirelessReceiver } from './meters/wmbus/receiver.ts';
import { WirelessMeterSeat } from './meters/wmbus/wireless-meter.ts';

export interface MeterConfig {
  readonly id: string;
  /** Device address of a meter that is asked; empty asks whoever is there. */
  readonly address: string;
  /** How often a meter is asked. */
  readonly intervalMs: number;
  /** IANA zone of the site: meters send local times. */
  readonly timeZone: string;
  /** What is particular to a meter that is asked. */
  readonly iec?: Omit<
    PolledOptions,
    'id' | 'address' | 'intervalMs' | 'timeZone' | 'password' | 'settings' | 'reads'
  >;
  /** What is particular to a meter that is asked over DLMS. */
  readonly dlms?: DlmsOptions;
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
  /** Of programming mode (P1) or of low level security, sent as it is. */
  readonly password?: string;
  /** What an SML meter does differently and its number does not tell. */
  readonly sml?: SmlQuirks;
  /** What a meter counts whose pulses are counted. */
  readonly pulses?: Omit<PulseOptions, 'id' | 'settings'>;
  /** What a meter needs kept over a restart, message counters above all. */
  readonly settings?: Settings;
  /** For challenges. */
  readonly random?: Pick<Random, 'bytes'>;
  /** Counts the readouts of meters that live on a battery. */
  readonly reads?: Pick<WriteBudget, 'spend'>;
  /** What is particular to wired M-Bus. */
  readonly mbus?: MbusSettings;
  /** The make of a radio receiver, and the mode that it is told to receive. */
  readonly receiver?: ReceiverName | undefined;
  readonly mode?: RadioMode;
}

/** Meters on the same line are given the same link. */
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

const turnsOn = perLink(() => new LinkTurns());
const busOn = perLink(
  (link, clock, { mbus }) => new MbusBus(link, clock, { latencyMs: mbus?.latencyMs ?? null }),
);

export const METER_PROTOCOLS = {
  'dsmr-p1': (config, link, clock) => {
    const decoder = () => new P1Decoder(keysOf(config));
    const sense = p1Sense(config.id, config.timeZone);
    const protocol = { decoder, read: readP1, silenceMs: SILENCE_MS, sense, ...guarded(config, clock) };
    return new PushMeter(config.id, protocol, link, clock);
  },
  'dlms-push': (config, link, clock) => {
    const decoder = () => new PushDecoder(keysOf(config));
    const sense = clockSense(config.id, config.timeZone, pushInstant);
    const protocol = { decoder, read: readPush, silenceMs: HAN_SILENCE_MS, sense, ...guarded(config, clock) };
    return new PushMeter(config.id, protocol, link, clock);
  },
  dlms: (config, link, clock) => {
    const { dlms = DLMS_DEFAULTS, settings = null, random = systemRandom() } = config;
    return new DlmsMeter({ ...config, dlms, settings, random }, link, clock, turnsOn(link, clock, config));
  },
  'iec62056-21': ({ id, address, intervalMs, timeZone, iec, password, settings, reads }, link, clock) => {
    const p1 = password === undefined ? {} : { password: { kind: 'P1' as const, text: password } };
    const kept = { ...(settings && { settings }), ...(reads && { reads }) };
    return new PolledMeter({ id, address, intervalMs, timeZone, ...iec, ...p1, ...kept }, link, clock);
  },
  'iec62056-21-d': ({ id, timeZone }, link, clock) => {
    const decoder = () => new ReadoutDecoder({ parity: 'none' });
    const sense = clockSense(id, timeZone);
    return new PushMeter(id, { decoder, read: readReadout, silenceMs: SILENCE_MS, sense }, link, clock);
  },
  mbus: (config, link, clock) => openMbusMeter(config, busOn(link, clock, config), clock),
  sml: ({ id, timeZone, sml = {} }, link, clock) => {
    const meaning = clockSense(id, timeZone);
    const sense: typeof meaning = (telegram, received) => meaning(withDirection(telegram, sml), received);
    const decoder = () => new SmlDecoder();
    const read = (frame: SmlFrame) => readSml(frame, sml);
    return new PushMeter(id, { decoder, read, silenceMs: SILENCE_MS, sense }, link, clock);
  },
  pulses: ({ id, pulses, settings }, link, clock) => {
    if (!pulses) throw new HearthError('CONFIG_INVALID', `meters: ${id}: expected what the pulses count`);
    return new PulseMeter({ id, ...pulses, ...(settings && { settings }) }, link, clock);
  },
  wmbus: (config, link, clock) => new WirelessMeterSeat(config, receiverOn(link, clock, config), clock),
} as const satisfies Record<string, OpenMeter>;

export type MeterProtocol = keyof typeof METER_PROTOCOLS;

/** Meters of these share one line; those of any other have theirs to themselves. */
export const BUS_PROTOCOLS: ReadonlySet<string> = new Set<MeterProtocol>(['dlms', 'mbus', 'wmbus']);
