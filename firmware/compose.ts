/** The composition root: builds every room from a configuration, starts and stops them in order. Nothing else wires. */

import { ModbusBus } from './adapters/devices/modbus-bus.ts';
import { ModbusDevice } from './adapters/devices/modbus-device.ts';
import { loadProfiles } from './adapters/profiles/load.ts';
import type { Profile } from './adapters/profiles/schema.ts';
import { METER_PROTOCOLS, type MeterConfig } from './adapters/registry.ts';
import type { Config } from './config.ts';
import { HearthError } from './domain/errors.ts';
import type { Site, Snapshot } from './domain/image.ts';
import type { Link } from './domain/link.ts';
import type { Random } from './domain/random.ts';
import type { Storage } from './domain/storage.ts';
import { type Cancel, type Clock, every } from './domain/time.ts';
import type { SignalTransport } from './domain/transport.ts';
import { Gateway } from './gateway.ts';
import type { SolveProgram } from './policy/planner/planner.ts';
import { Planning } from './policy/planning.ts';
import { SignalReceiver } from './signals/receiver.ts';

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
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** Called with each new snapshot. */
  readonly onChange: (listener: (snapshot: Snapshot) => void) => void;
}

const MAINTAIN_MS = 3_600_000;
const TCP_TIMEOUT_MS = 2_000;
const RTU_TIMEOUT_MS = 1_000;

export function composeHouse(config: Config, board: Board): House {
  const { clock, storage } = board;
  const site = siteOf(config);
  const listeners: ((snapshot: Snapshot) => void)[] = [];
  const receiver = new SignalReceiver({
    clock,
    random: board.random,
    journal: storage.journal,
    store: storage.signals,
    settings: storage.settings,
    programs: config.mqtt?.programs ?? [],
    envelope: { signed: config.mqtt?.signed ?? false },
    failsafe: config.mqtt ? config.failsafe : null,
    changed: () => gateway.poke(),
  });
  const gateway = new Gateway({
    clock,
    site,
    meters: config.meters.map((m) => ({
      resource: METER_PROTOCOLS[m.protocol](
        {
          id: m.id,
          address: m.address,
          intervalMs: m.intervalMs,
          timeZone: config.site.timeZone,
          ...(m.iec && { iec: iecOf(m.iec) }),
          settings: storage.settings,
          ...board.keys.get(m.id),
        },
        board.link(m.link),
        clock,
      ),
      name: m.name,
      role: m.role,
    })),
    devices: devicesOf(config, board),
    series: storage.series,
    journal: storage.journal,
    settings: storage.settings,
    overrides: storage.overrides,
    signals: () => receiver.current(),
    plan: () => planning?.current() ?? null,
    broker: () => receiver.broker(),
    feedWatchdog: board.feedWatchdog,
    changed: (snapshot) => {
      for (const listener of listeners) listener(snapshot);
    },
  });
  const planning = planningOf(config, board, gateway);
  let stopMaintaining: Cancel = () => {};
  return {
    gateway,
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
  return { ...profile, control, phases: device.phases ?? profile.phases };
}
