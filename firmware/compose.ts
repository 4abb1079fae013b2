/** The composition root: builds every room from a configuration, starts and stops them in order. Nothing else wires. */

import { ModbusBus } from './adapters/devices/modbus-bus.ts';
import { ModbusDevice } from './adapters/devices/modbus-device.ts';
import type { DlmsOptions } from './adapters/meters/dlms/options.ts';
import { Listeners } from './adapters/meters/pulses/overheard.ts';
import { WirelessMeterSeat } from './adapters/meters/wmbus/wireless-meter.ts';
import { loadProfiles } from './adapters/profiles/load.ts';
import type { Profile } from './adapters/profiles/schema.ts';
import { METER_PROTOCOLS, type MeterConfig } from './adapters/registry.ts';
import { fromHex } from './codecs/bytes.ts';
import type { Config } from './config/schema.ts';
import { HearthError } from './domain/errors.ts';
import type { Site, Snapshot } from './domain/image.ts';
import type { Link } from './domain/link.ts';
import type { RadioEar } from './domain/radio.ts';
import type { Random } from './domain/random.ts';
import type { Storage } from './domain/storage.ts';
import { type Cancel, type Clock, every } from './domain/time.ts';
import type { SignalTransport } from './domain/transport.ts';
import { Gateway } from './gateway.ts';
import type { SolveProgram } from './policy/planner/planner.ts';
import { Planning } from './policy/planning.ts';
import { AdmissionDesk } from './signals/admission.ts';
import { SignalReceiver } from './signals/receiver.ts';
import { reporter } from './signals/reporter.ts';

/** What the gateway runs on: a real board, the demo home's machine, or a simulation. */
export interface Board {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  /** The link of a meter or device of the configuration. */
  readonly link: (spec: Config['meters'][number]['link']) => Link;
  /** Null when no operator is configured. */
  readonly transport: SignalTransport | null;
  readonly feedWatchdog: () => void;
  /** Solves the planner's programs; null: plan without a solver; absent: no planner, the rules alone. */
  readonly solve?: SolveProgram | null;
  /** Secrets by the id of the meter, already read. */
  readonly keys: ReadonlyMap<string, Pick<MeterConfig, 'key' | 'authKey' | 'password'>>;
}

type MeterRow = Config['meters'][number];

export interface House {
  readonly gateway: Gateway;
  /** Receivers of wireless meters, for what they hear besides. */
  readonly radios: readonly RadioEar[];
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** Called with each new snapshot. */
  readonly onChange: (listener: (snapshot: Snapshot) => void) => void;
}

const MAINTAIN_MS = 3_600_000;
const TCP_TIMEOUT_MS = 2_000;
const RTU_TIMEOUT_MS = 1_000;
/** A datagram may be lost. */
const UDP_REPEATS = 3;

export function composeHouse(config: Config, board: Board): House {
  const { clock, storage } = board;
  const site = siteOf(config);
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  const desk = admissionOf(config, board, () => gateway.poke());
  const receiver = new SignalReceiver({
    clock,
    random: board.random,
    journal: storage.journal,
    store: storage.signals,
    settings: storage.settings,
    programs: config.mqtt?.programs ?? [],
    envelope: { signed: config.mqtt?.signed ?? false },
    failsafe: config.mqtt ? config.failsafe : null,
    baselines: (name) =>
      name === 'mean15min' ? gateway.meanImport_W() : name === 'nominal' ? ratingOf(site) : null,
    ...(desk && { other: (topic: string, bytes: Uint8Array) => desk.take(topic, bytes) }),
    changed: () => gateway.poke(),
  });
  const meters = metersOf(config, board);
  const gateway = new Gateway({
    clock,
    site,
    meters,
    devices: devicesOf(config, board),
    series: storage.series,
    journal: storage.journal,
    settings: storage.settings,
    overrides: storage.overrides,
    signals: () => receiver.current(),
    ...(board.solve !== undefined && { modes: (devices) => planning?.modes(devices) ?? {} }),
    broker: () => receiver.broker(),
    ...reportsTo(config, board),
    ...(desk && { admission: desk }),
    feedWatchdog: board.feedWatchdog,
    changed: (snapshot) => {
      for (const listener of listeners) listener(snapshot);
    },
  });
  const planning = planningOf(config, board, gateway);
  let stopMaintaining: Cancel = () => {};
  return {
    gateway,
    radios: [...new Set(meters.flatMap(({ radio }) => radio ?? []))],
    onChange: (listener) => void listeners.push(listener),
    start() {
      const opened = storage.opened.map((text) => ({
        atMs: clock.wallMs(),
        kind: 'system' as const,
        subject: 'store',
        code: 'OPENED',
        detail: { text },
      }));
      for (const entry of opened) storage.journal.record(entry);
      gateway.start();
      planning?.start();
      if (board.transport) receiver.open(board.transport);
      stopMaintaining = every(clock, MAINTAIN_MS, () => {
        storage.maintain(clock.wallMs());
        receiver.prune();
      });
    },
    async stop() {
      stopMaintaining();
      desk?.close();
      planning?.stop();
      await board.transport?.close();
      await gateway.stop();
    },
  };
}

function planningOf({ meters, planner }: Config, board: Board, gateway: Gateway): Planning | null {
  if (board.solve === undefined) return null;
  const { latitude = null, longitude = null, roof = null } = planner;
  return new Planning({
    clock: board.clock,
    series: board.storage.series,
    journal: board.storage.journal,
    gridMeter: meters.find((m) => m.role === 'grid')?.id ?? null,
    place: latitude === null || longitude === null ? null : { latitude, longitude },
    roof,
    solve: board.solve,
    image: () => gateway.snapshot().image,
    changed: () => gateway.poke(),
  });
}

/** What the connection can carry, in W. */
const ratingOf = ({ fuse_A, phases, nominal_V }: Site): number => fuse_A * phases * nominal_V;

function reportsTo({ mqtt, site }: Config, { clock, storage, transport }: Board) {
  if (!mqtt?.reports || !transport) return {};
  const report = reporter({
    topic: mqtt.reports.topic,
    clientName: mqtt.reports.clientName ?? site.name,
    transport,
    lost: ({ signalId }) =>
      storage.journal.record({
        atMs: clock.wallMs(),
        kind: 'system',
        subject: 'report',
        code: 'LINK_GONE',
        detail: { signalId },
      }),
  });
  return { report };
}

function admissionOf({ mqtt, site }: Config, board: Board, changed: () => void): AdmissionDesk | null {
  if (!mqtt?.admission || !board.transport) return null;
  const { clientName = site.name, ...options } = mqtt.admission;
  const { clock, random, storage, transport } = board;
  return new AdmissionDesk(
    { ...options, clientName },
    { clock, random, transport, journal: storage.journal, changed },
  );
}

export function siteOf({ site }: Config): Site {
  const { name: _name, fixedImportPrice, fixedExportPrice, ...rest } = site;
  const perWh = (perKWh: number | null): number | null => (perKWh === null ? null : perKWh / 1000);
  return { ...rest, fixedImportPrice: perWh(fixedImportPrice), fixedExportPrice: perWh(fixedExportPrice) };
}

function iecOf({
  password: _password,
  profile,
  ...rest
}: MeterRow['iec'] & object): MeterConfig['iec'] & object {
  return { ...rest, ...(profile && { profile }) };
}

/** Meters on the same link are given the same one: a bus or a radio receiver serves many. */
function metersOf(config: Config, { clock, storage, keys, link, random }: Board) {
  const links = new Map<string, Link>();
  const listeners = new Listeners();
  return config.meters.map((meter) => {
    const name = JSON.stringify(meter.link);
    const line = links.get(name) ?? link(meter.link);
    links.set(name, line);
    const { id, address, intervalMs, receiver, mode, iec, sml, pulses, dlms, mbus } = meter;
    const resource = METER_PROTOCOLS[meter.protocol](
      {
        id,
        address,
        intervalMs,
        receiver,
        mode,
        timeZone: config.site.timeZone,
        ...(iec && { iec: iecOf(iec) }),
        ...(sml && { sml }),
        ...(pulses && { pulses: pulsesOf(pulses, listeners) }),
        ...(dlms && { dlms: dlmsOf(dlms, meter.link.kind) }),
        random,
        mbus,
        settings: storage.settings,
        reads: storage.writes,
        ...keys.get(id),
      },
      line,
      clock,
    );
    const radio: RadioEar | null = resource instanceof WirelessMeterSeat ? resource.receiver : null;
    return { resource: listeners.overheard(resource), name: meter.name, role: meter.role, radio };
  });
}

function pulsesOf(
  { reading, register, ...rest }: MeterRow['pulses'] & object,
  listeners: Listeners,
): MeterConfig['pulses'] & object {
  return {
    ...rest,
    ...(reading && { reading: { value: reading.value, atMs: Date.parse(reading.at) } }),
    ...(register !== undefined && { register: (listener) => listeners.add(register, listener) }),
  };
}

/** Serial lines carry HDLC, networks the wrapper, unless it is said otherwise. */
function dlmsOf(
  { password: _password, carrier, systemTitle, ...rest }: MeterRow['dlms'] & object,
  link: MeterRow['link']['kind'],
): DlmsOptions {
  return {
    ...rest,
    carrier: carrier ?? (link === 'serial' ? 'hdlc' : 'wrapper'),
    systemTitle: systemTitle === null ? null : fromHex(systemTitle),
    repeats: link === 'udp' ? UDP_REPEATS : 0,
  };
}

/** Devices on the same link share a bus: one request at a time on one wire. */
function devicesOf(config: Config, board: Board) {
  const profiles = loadProfiles();
  const buses = new Map<string, ModbusBus>();
  return config.devices.map((device) => {
    const profile = profiles.get(device.profile);
    if (!profile) {
      throw new HearthError(
        'CONFIG_INVALID',
        `devices: ${device.id}: no profile "${device.profile}"; known: ${[...profiles.keys()].join(', ')}`,
      );
    }
    const name = JSON.stringify(device.link);
    const rtu = device.link.kind === 'serial';
    const options = rtu
      ? { framing: 'rtu' as const, timeoutMs: RTU_TIMEOUT_MS }
      : { framing: 'tcp' as const, timeoutMs: TCP_TIMEOUT_MS };
    const bus = buses.get(name) ?? new ModbusBus(board.link(device.link), board.clock, options);
    buses.set(name, bus);
    const resource = new ModbusDevice(device, fitted(profile, device), {
      bus,
      clock: board.clock,
      writes: board.storage.writes,
    });
    return {
      resource,
      settings: { priority: device.priority, mode: device.mode, deadline: device.deadline },
    };
  });
}

/** The profile with what is different in this house. */
function fitted(profile: Profile, device: Config['devices'][number]): Profile {
  const control =
    device.rated_W !== undefined && 'rated_W' in profile.control
      ? { ...profile.control, rated_W: device.rated_W }
      : profile.control;
  return {
    ...profile,
    control,
    phases: device.phases ?? profile.phases,
    writesPerDay: device.writesPerDay ?? profile.writesPerDay,
    minOnMs: device.minOnMs ?? profile.minOnMs,
    minOffMs: device.minOffMs ?? profile.minOffMs,
  };
}
