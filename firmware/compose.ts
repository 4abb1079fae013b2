/** The composition root: builds every room from a configuration, starts and stops them in order. Nothing else wires. */
import type { Board } from './compose/board.ts';
import { devicesOf } from './compose/devices.ts';
import { metersOf } from './compose/meters.ts';
import { admissionOf, planningOf, reportsTo } from './compose/operator.ts';
import { PriceRecord } from './compose/price-record.ts';
import type { Config } from './config/schema.ts';
import type { Site, Snapshot } from './domain/image.ts';
import type { RadioEar } from './domain/radio.ts';
import { type Cancel, every } from './domain/time.ts';
import { Gateway } from './gateway.ts';
import { SignalReceiver } from './signals/receiver.ts';

export type { Board } from './compose/board.ts';

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
    currency: site.currency,
    baselines: (name) =>
      name === 'mean15min' ? gateway.meanImport_W() : name === 'nominal' ? ratingOf(site) : null,
    ...(desk && { other: (topic: string, bytes: Uint8Array) => desk.take(topic, bytes) }),
    changed: () => {
      gateway.poke();
      void planning?.look();
    },
  });
  const meters = metersOf(config, board);
  const prices = new PriceRecord(storage.series);
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
    isClockBelieved: () => receiver.isClockBelieved(),
    ...(board.makePlan && {
      plan: () => planning?.current() ?? null,
      modes: (devices) => planning?.modes(devices) ?? {},
    }),
    broker: () => receiver.broker(),
    ...reportsTo(config, board),
    ...(desk && { admission: desk }),
    feedWatchdog: board.feedWatchdog,
    changed: (snapshot) => {
      prices.take(snapshot.image);
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

export function siteOf({ site }: Config): Site {
  const { name: _, latitude: _n, longitude: _e, roof: _r, peak, co2_perKg, ...rest } = site;
  return {
    ...rest,
    ...(peak && { peak: { price_perW: peak.price_perKW / 1000, free_W: peak.free_kW * 1000 } }),
    ...(co2_perKg > 0 && { co2_perG: co2_perKg / 1000 }),
  };
}

/** What the connection can carry, in W. */
const ratingOf = ({ fuse_A, phases, nominal_V }: Site): number => fuse_A * phases * nominal_V;
