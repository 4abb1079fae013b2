/**
 * The gateway as on a board, in a home of twins, on simulated time and lines: a day takes seconds and is the same
 * for the same seed. The database is real, on disk.
 */

import type Database from 'better-sqlite3';
import { composeHouse, type House } from '../../firmware/compose.ts';
import { checkConfig } from '../../firmware/config/check.ts';
import type { Config } from '../../firmware/config/schema.ts';
import { fault, ok } from '../../firmware/domain/errors.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { Link } from '../../firmware/domain/link.ts';
import { type Measurement, pointKey } from '../../firmware/domain/measurement.ts';
import type { Random } from '../../firmware/domain/random.ts';
import type { Storage } from '../../firmware/domain/storage.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import type { SignalTransport, TransportEvents } from '../../firmware/domain/transport.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine, type TwinEnd } from '../../firmware/hal/simulated/line.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { planHouse } from '../../firmware/policy/planner/plan-house.ts';
import type { PlanTask } from '../../firmware/policy/planner/planner.ts';
import { openStore } from '../../firmware/store/index.ts';
import { connectFile } from '../../firmware/store/open.ts';
import type { ApplianceTwin, Step } from '../twins/appliance.ts';
import { type DemoStores, demoDishwasher, demoHome, demoStores } from '../twins/home.ts';
import { ModbusTwin } from '../twins/modbus-device.ts';
import { DAY_PRICES, limitEvent, priceEvent } from '../twins/operator.ts';

export const METER_MS = 10_000;
/** The series that is followed from the meter to the disk. */
export const REGISTER = 'grid/activeEnergyImport';
const DAY_MS = 86_400_000;
const PORTS = { grid: 1, boiler: 2, wallbox: 3, roof: 4, battery: 5, 'heat-pump': 6, dishwasher: 7 } as const;
type Port = keyof typeof PORTS;

export interface HandedIn {
  readonly atMs: number;
  readonly elapsedMs: number;
}

export interface SimulatedHome {
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly lines: Readonly<Record<Port, TwinEnd>>;
  readonly twins: Readonly<Record<Exclude<Port, 'grid'>, ModbusTwin>>;
  /** Null in a home without them. */
  readonly stores: DemoStores | null;
  readonly dishwasher: ApplianceTwin | null;
  readonly config: Config;
  readonly operator: Operator;
  /** Net power at the connection now. */
  net_W(): number;
  /** Registers as the meter would show them. */
  importEnergy_Wh(): number;
  house(): House;
  storage(): Storage;
  /** The process is killed: nothing is flushed, nothing closed in order. Starts again at once. */
  kill(): void;
  /** When it was killed, and since when what was received may be lost by it. Elapsed times. */
  kills(): readonly { readonly atMs: number; readonly safeMs: number }[];
  /** The disk takes no writes, or does again. */
  diskRefuses(on: boolean): void;
  /** What was handed to the store of the meter's register, over all starts. */
  handedIn(): readonly HandedIn[];
  commits(): number;
  stop(): Promise<void>;
}

/** The broker's side: publishes prices every day and limits on request; can vanish. */
export class Operator {
  private events: TransportEvents | null = null;
  private readonly retained = new Map<string, Uint8Array>();
  private up = true;
  /** Called with the topic of each message that reaches the gateway, the first time and again. */
  delivered: (topic: string) => void = () => {};

  transport(): SignalTransport {
    return {
      open: (events) => {
        this.events = events;
        if (this.up) this.welcome();
      },
      publish: async () => {},
      close: async () => {
        this.events = null;
      },
    };
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.retained.set(topic, bytes);
    if (this.up) this.hand(topic, bytes);
  }

  private hand(topic: string, bytes: Uint8Array): void {
    this.events?.message(topic, bytes);
    if (this.events) this.delivered(topic);
  }

  vanish(): void {
    this.up = false;
    this.events?.state(false, fault('LINK_GONE'));
  }

  appear(): void {
    this.up = true;
    this.welcome();
  }

  private welcome(): void {
    this.events?.state(true, null);
    for (const [topic, bytes] of this.retained) this.hand(topic, bytes);
  }
}

const CONFIG = {
  site: { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3, staleAfterMs: 35_000 },
  store: { path: 'simulated' },
  mqtt: {
    url: 'mqtt://simulated',
    clientId: 'simulated',
    topics: ['dso/#'],
    programs: [
      { id: 'prices', name: 'Market', binding: 'informational' },
      { id: 'limits', name: 'DSO', binding: 'commandable' },
    ],
  },
  meters: [
    {
      id: 'grid',
      name: 'Meter',
      protocol: 'dsmr-p1',
      link: { kind: 'tcp', host: 'simulated', port: PORTS.grid },
    },
  ],
  devices: [
    {
      id: 'boiler',
      name: 'Boiler',
      profile: 'relay-heater',
      link: { kind: 'tcp', host: 'simulated', port: PORTS.boiler },
      priority: 10,
      mode: 'cheap',
      deadline: { time: '06:30', energy_Wh: 6000 },
    },
    {
      id: 'wallbox',
      name: 'Wallbox',
      profile: 'wallbox-current',
      link: { kind: 'tcp', host: 'simulated', port: PORTS.wallbox },
      priority: 20,
      mode: 'cheap',
      deadline: { time: '07:00', energy_Wh: 14_000 },
    },
    {
      id: 'roof',
      name: 'Roof',
      profile: 'inverter-sunspec',
      link: { kind: 'tcp', host: 'simulated', port: PORTS.roof },
      priority: 30,
    },
  ],
};

const STORES = [
  {
    id: 'battery',
    name: 'Battery',
    profile: 'battery-register',
    link: { kind: 'tcp', host: 'simulated', port: PORTS.battery },
    priority: 40,
    mode: 'cheap',
    battery: { capacity_Wh: 10_000, charge_W: 5000, discharge_W: 5000 },
  },
  {
    id: 'heat-pump',
    name: 'Heat pump',
    profile: 'heat-pump-levels',
    link: { kind: 'tcp', host: 'simulated', port: PORTS['heat-pump'] },
    priority: 15,
    mode: 'cheap',
    heat: { what: 'tank', litres: 300 },
  },
];

interface HomeOptions {
  readonly stores?: boolean;
  readonly dishwasher?: { readonly mode: 'cheap' | 'solar'; readonly program: readonly Step[] };
  readonly priced?: boolean;
  readonly planned?: boolean;
  readonly fuse_A?: number;
}

const PLUG = {
  id: 'dishwasher',
  name: 'Dishwasher',
  profile: 'relay-appliance',
  link: { kind: 'tcp', host: 'simulated', port: PORTS.dishwasher },
  priority: 25,
};

/**
 * `stores`: with a battery and a heat pump. `dishwasher`: with one. `priced`: with a market; without one and
 * without a tariff no price is known. `planned`: with a planner, without its solver. `fuse_A`: the main
 * fuse, else 35 A.
 */
export function simulatedHome(
  seed: number,
  startMs: number,
  file: string,
  {
    stores: hasStores = false,
    dishwasher: appliance,
    priced = true,
    planned = false,
    fuse_A = 35,
  }: HomeOptions = {},
): SimulatedHome {
  const clock = new SimulatedClock(startMs);
  const random = seededRandom(seed);
  const wallMs = (): number => startMs + clock.elapsedMs();
  const world = demoHome(seed, wallMs);
  const stores = hasStores ? demoStores(world, wallMs) : null;
  const dishwasher = appliance ? demoDishwasher(world, wallMs, appliance.program) : null;
  const twins = {
    boiler: world.boiler,
    wallbox: world.wallbox,
    roof: world.inverter,
    battery: stores?.battery.twin ?? new ModbusTwin(),
    'heat-pump': stores?.heatPump.twin ?? new ModbusTwin(),
    dishwasher: dishwasher?.twin ?? new ModbusTwin(),
  };
  const links = new Map<number, Link>();
  const line = (port: Port): TwinEnd => {
    const { link, twin } = simulatedLine(clock, port, 2);
    links.set(PORTS[port], link);
    return twin;
  };
  const lines = {
    grid: line('grid'),
    boiler: line('boiler'),
    wallbox: line('wallbox'),
    roof: line('roof'),
    battery: line('battery'),
    'heat-pump': line('heat-pump'),
    dishwasher: line('dishwasher'),
  };
  for (const name of ['boiler', 'wallbox', 'roof', 'battery', 'heat-pump', 'dishwasher'] as const) {
    lines[name].onBytes((bytes) => {
      for (const answer of twins[name].tcp(bytes)) lines[name].write(answer);
    });
  }
  const devices = [
    ...CONFIG.devices,
    ...(hasStores ? STORES : []),
    ...(appliance ? [{ ...PLUG, ...appliance }] : []),
  ];
  const checked = checkConfig({ ...CONFIG, site: { ...CONFIG.site, fuse_A }, devices });
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes));
  const operator = new Operator();
  const disk = new SimulatedDisk(file, clock);
  // A killed process has no timers and no open lines: each start has an epoch, and what is of an older one is dead.
  let epoch = 0;
  const start = (): { house: House; storage: Storage } => {
    const mine = ++epoch;
    const alive = {
      ...clockOf(clock),
      after: (ms: number, task: () => void) => clock.after(ms, () => void (mine === epoch && task())),
    };
    const storage = disk.open(alive);
    const link = (spec: Config['meters'][number]['link']): Link => {
      const found = spec.kind === 'tcp' ? links.get(spec.port) : undefined;
      if (!found) throw new Error('no line');
      return found;
    };
    const house = composeHouse(checked.config, {
      clock: alive,
      random,
      storage,
      link,
      transport: operator.transport(),
      feedWatchdog: () => {},
      keys: new Map(),
      ...(planned && { makePlan: async (task: PlanTask) => ok(await planHouse(task, null)) }),
    });
    house.start();
    return { house, storage };
  };
  let running = start();
  const telegrams = (): void => {
    lines.grid.write(world.telegram());
    clock.after(METER_MS, telegrams);
  };
  telegrams();
  const prices = (): void => {
    const now = clock.wallMs();
    operator.publish(
      'dso/prices',
      priceEvent({ id: 'day', programID: 'prices', modifiedMs: now }, Math.floor(now / DAY_MS) * DAY_MS, [
        ...DAY_PRICES,
        ...DAY_PRICES,
      ]),
    );
    clock.after(DAY_MS / 2, prices);
  };
  if (priced) prices();
  return {
    clock,
    random,
    lines,
    twins,
    stores,
    dishwasher,
    config: checked.config,
    operator,
    net_W: () => world.world.net_W(startMs + clock.elapsedMs()),
    importEnergy_Wh: () => world.world.importEnergy_Wh,
    house: () => running.house,
    storage: () => running.storage,
    kill() {
      epoch += 1;
      disk.killed(running.storage);
      running = start();
    },
    kills: () => disk.kills,
    diskRefuses: (on) => disk.refuse(on),
    handedIn: () => disk.handedIn,
    commits: () => disk.commits + running.storage.health().commits,
    stop: async () => {
      await running.house.stop();
      running.storage.close();
    },
  };
}

const clockOf = (clock: SimulatedClock) => ({
  wallMs: () => clock.wallMs(),
  elapsedMs: () => clock.elapsedMs(),
});

export const limitFor = (
  home: SimulatedHome,
  id: string,
  minutes: number,
  limit_kW: number,
  direction: 'IMPORT' | 'EXPORT' = 'IMPORT',
): void => {
  const now = home.clock.wallMs();
  home.operator.publish(
    `dso/limit/${id}`,
    limitEvent({ id, programID: 'limits', modifiedMs: now }, now, minutes * 60_000, limit_kW, direction),
  );
};

/** A real file, on a disk that can be made to refuse; keeps account of what was handed in. */
class SimulatedDisk {
  private readonly file: string;
  private readonly clock: SimulatedClock;
  private readonly connections: Database.Database[] = [];
  private refuses = false;
  private lastGoodMs = 0;
  readonly kills: { readonly atMs: number; readonly safeMs: number }[] = [];
  readonly handedIn: HandedIn[] = [];
  commits = 0;

  constructor(file: string, clock: SimulatedClock) {
    this.file = file;
    this.clock = clock;
  }

  open(clock: Clock): Storage {
    const storage = openStore(this.file, {
      clock,
      timeZone: 'Europe/Berlin',
      syncs: false,
      connect: (file, options) => {
        const db = connectFile(file, options);
        this.connections.push(db);
        if (this.refuses) db.pragma('query_only = ON');
        return db;
      },
    });
    const append = storage.series.append.bind(storage.series);
    storage.series.append = (measurements) => {
      for (const m of measurements) this.note(m);
      append(measurements);
    };
    return storage;
  }

  private note({ point, receivedMs, receivedElapsedMs }: Measurement): void {
    if (point.source !== 'grid' || pointKey(point) !== REGISTER) return;
    this.handedIn.push({ atMs: Math.round(receivedMs), elapsedMs: receivedElapsedMs });
  }

  refuse(on: boolean): void {
    if (on === this.refuses) return;
    if (on) this.lastGoodMs = this.clock.elapsedMs();
    this.refuses = on;
    for (const db of this.connections) if (db.open) db.pragma(`query_only = ${on ? 'ON' : 'OFF'}`);
  }

  /** What waited for a disk that refused is lost as well. */
  killed(storage: Storage): void {
    const atMs = this.clock.elapsedMs();
    const { code, commits } = storage.health();
    this.commits += commits;
    const sinceMs = code === null && !this.refuses ? atMs : this.lastGoodMs;
    this.kills.push({ atMs, safeMs: sinceMs - LIMITS.storeBatchMs });
  }
}
