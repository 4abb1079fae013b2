/**
 * A winter day of a home with sun, a battery and a heat pump at dynamic prices, through gateway and planner on simulated
 * time: cheaper than own use and thermostat, as warm, and within a limit of the evening.
 */
import { test } from 'tap';
import { ok } from '../../firmware/domain/errors.ts';
import type { Flexibility } from '../../firmware/domain/flexibility.ts';
import type { ControlMode } from '../../firmware/domain/image.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ResourceEvents, ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { Signal } from '../../firmware/domain/signal.ts';
import type { SeriesRow } from '../../firmware/domain/storage.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { Gateway } from '../../firmware/gateway.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { copAt } from '../../firmware/policy/comfort.ts';
import { planHouse } from '../../firmware/policy/planner/plan-house.ts';
import { Planning } from '../../firmware/policy/planning.ts';
import { BATTERY_STORE, battery, HOUR, heatPump, inverter, SITE, signal } from '../policy/home.ts';

const STEP_MS = 20_000;
const DAY_MS = 24 * HOUR;
/** Midnight in Berlin. */
const MIDNIGHT = Date.UTC(2026, 1, 9, 23);

/** EUR per kWh by hour: cheap at night and at noon, dear in the morning and in the evening. */
const PRICES = [
  0.2, 0.18, 0.17, 0.17, 0.18, 0.22, 0.34, 0.4, 0.36, 0.28, 0.22, 0.18, 0.17, 0.18, 0.21, 0.27, 0.36, 0.45,
  0.48, 0.44, 0.36, 0.3, 0.26, 0.22,
];
const FEED_IN = 0.07;
const hourOf = (ms: number): number => ((((ms - MIDNIGHT) % DAY_MS) + DAY_MS) % DAY_MS) / HOUR;
const price = (ms: number): number => PRICES[Math.floor(hourOf(ms))] ?? 0;
const bell = (ms: number, at: number, width: number): number => Math.exp(-(((hourOf(ms) - at) / width) ** 2));
const sun_W = (ms: number): number => 2800 * bell(ms, 12.5, 2);
const outdoor_C = (ms: number): number => 1 + 4 * bell(ms, 14, 4);
/** An oven comes and goes within the quarter hour that its mean is known of. */
const base_W = (ms: number): number => {
  const evening = bell(ms, 19, 1.2) * 1400 + bell(ms, 7, 0.7) * 900;
  return 280 + evening * (Math.floor(ms / 120_000) % 2 === 0 ? 1.6 : 0.4);
};

const LIMIT = { fromMs: MIDNIGHT + 18 * HOUR, untilMs: MIDNIGHT + 19 * HOUR, value: 2500 };
const hourly = (hours: number, value: (ms: number) => number): Signal['intervals'] =>
  Array.from({ length: hours }, (_, i) => {
    const fromMs = MIDNIGHT + i * HOUR;
    return { fromMs, untilMs: fromMs + HOUR, value: value(fromMs) };
  });
const published = (hours: number): readonly Signal[] => [
  signal(
    'importPrice',
    hourly(hours, (ms) => price(ms) / 1000),
  ),
  signal(
    'exportPrice',
    hourly(hours, () => FEED_IN / 1000),
  ),
  signal('temperatureForecast', hourly(hours, outdoor_C)),
  signal('importLimit', [LIMIT]),
];
/** The market tells the next day at one in the afternoon. */
const [TODAY, AND_TOMORROW] = [published(24), published(48)];

/** What really happens, in steps of twenty seconds. */
class World {
  nowMs = MIDNIGHT;
  readonly told_W = new Map<string, number>();
  fill = 0.3;
  warmth_C = 20.7;
  cost = 0;
  coldest_C = 99;
  /** Without a pause, now and at the longest. */
  over_s = 0;
  longestOver_s = 0;
  readonly listeners: (() => void)[] = [];

  told(id: string): number {
    return this.told_W.get(id) ?? 0;
  }

  battery_W(): number {
    const told = this.told('battery');
    if (told > 0) return this.fill >= 1 ? 0 : told;
    return this.fill <= BATTERY_STORE.leastFill ? 0 : told;
  }

  grid_W(): number {
    return base_W(this.nowMs) - sun_W(this.nowMs) + this.battery_W() + this.told('heat-pump');
  }

  step(): void {
    const hours = STEP_MS / HOUR;
    const [grid, power] = [this.grid_W(), this.battery_W()];
    this.cost += (hours * (grid > 0 ? grid * price(this.nowMs) : grid * FEED_IN)) / 1000;
    this.cost += (hours * Math.max(0, -power) * 0.01) / 1000;
    this.fill += (hours * (power > 0 ? power * 0.95 : power / 0.95)) / 10_000;
    const outside = outdoor_C(this.nowMs);
    const heat_W = this.told('heat-pump') * copAt(PUMP, outside) - 150 * (this.warmth_C - outside);
    this.warmth_C += (hours * heat_W) / 6000;
    this.coldest_C = Math.min(this.coldest_C, this.warmth_C);
    const inTime = this.nowMs >= LIMIT.fromMs && this.nowMs < LIMIT.untilMs;
    // What the rest of the house draws nobody can turn down.
    const isOver = inTime && grid > LIMIT.value && power + this.told('heat-pump') > 0;
    this.over_s = isOver ? this.over_s + STEP_MS / 1000 : 0;
    this.longestOver_s = Math.max(this.longestOver_s, this.over_s);
    this.nowMs += STEP_MS;
    for (const listener of this.listeners) listener();
  }

  /** With what is stored at the mean price, for two runs end with different stores. */
  worth(): number {
    const mean = PRICES.reduce((sum, x) => sum + x, 0) / PRICES.length;
    const kept = 0.95 * 10 * (this.fill - 0.3) + (6 * (this.warmth_C - 20.7)) / copAt(PUMP, 2);
    return this.cost - mean * kept;
  }
}

const PUMP = (() => {
  const { store } = heatPump().flexibility;
  if (store?.kind !== 'heat') throw new Error('a heat pump stores heat');
  return store;
})();

/** The facts and the power of a simulated device. */
interface Simulated {
  readonly id: string;
  readonly menu: () => Flexibility | null;
  readonly power_W: () => number;
}

function manager(world: World, clock: Clock, { id, menu, power_W }: Simulated): ResourceManager {
  let events: ResourceEvents | null = null;
  const measure = (): void => {
    const point = { source: id, quantity: 'activePower', phase: 0, tariff: 0, channel: 0 } as const;
    const time = { receivedMs: clock.wallMs(), receivedElapsedMs: clock.elapsedMs(), meterTimeMs: null };
    const measurement: Measurement = { point, value: power_W(), quality: 'good', ...time };
    events?.measured([measurement]);
    const now = menu();
    if (now) events?.flexibility(now);
  };
  return {
    id,
    open(to) {
      events = to;
      const first = menu();
      if (first) to.flexibility(first);
      to.health('ok', null);
      world.listeners.push(measure);
    },
    instruct(instruction) {
      world.told_W.set(id, instruction.setPoint_W);
      for (const status of ['ACCEPTED', 'STARTED', 'SUCCEEDED'] as const)
        events?.status(instruction, status, null);
    },
    close: async () => {},
  };
}

function devicesOf(world: World): Simulated[] {
  return [
    {
      id: 'battery',
      menu: () => {
        const min_W = world.fill <= BATTERY_STORE.leastFill ? 0 : -5000;
        const ranges = [{ min_W, max_W: world.fill >= 1 ? 0 : 5000 }];
        return battery({ fill: world.fill }, { flexibility: { ranges } }).flexibility;
      },
      power_W: () => world.battery_W(),
    },
    {
      id: 'heat-pump',
      menu: () => {
        const store = { temperature_C: world.warmth_C, outdoor_C: outdoor_C(world.nowMs) };
        return heatPump(store, { flexibility: { ranges: [0, 2000].map((p) => ({ min_W: p, max_W: p })) } })
          .flexibility;
      },
      power_W: () => world.told('heat-pump'),
    },
    {
      id: 'inverter',
      menu: () => inverter().flexibility,
      power_W: () => -sun_W(world.nowMs),
    },
  ];
}

/** Two weeks like this one, of which the planner learns load and sun. */
function pastRow(point: string, atMs: number): SeriesRow | null {
  const mean = (of: (ms: number) => number): number =>
    [1, 3, 5, 7, 9, 11, 13].reduce((sum, minute) => sum + of(atMs + minute * 60_000), 0) / 7;
  const value = {
    'grid/activePower': () => mean(base_W) - mean(sun_W),
    'inverter/activePower': () => -mean(sun_W),
  }[point];
  return value ? { atMs, value: value(), min: null, max: null, quality: 'good' } : null;
}

function pastSeries(point: string, fromMs: number, untilMs: number): SeriesRow[] {
  const rows: SeriesRow[] = [];
  for (
    let atMs = Math.max(fromMs, MIDNIGHT - 14 * DAY_MS);
    atMs < Math.min(untilMs, MIDNIGHT);
    atMs += 900_000
  ) {
    const row = pastRow(point, atMs);
    if (row) rows.push(row);
  }
  return rows;
}

async function day(mode: ControlMode): Promise<World> {
  const world = new World();
  const real = new SimulatedClock(MIDNIGHT);
  // A gateway that looks every twenty seconds decides a day within seconds.
  const clock: Clock = {
    wallMs: () => real.wallMs(),
    elapsedMs: () => real.elapsedMs(),
    after: (delayMs, task) => real.after(Math.max(delayMs, STEP_MS), task),
  };
  const journal = { record: () => {}, read: () => [] };
  const series = {
    append: () => {},
    flush: () => {},
    points: () => [],
    read: (point: string, _resolution: string, fromMs: number, untilMs: number) =>
      pastSeries(point, fromMs, untilMs),
  };
  const settings = new Map<string, string>();
  let planning: Planning | null = null;
  const gateway = new Gateway({
    clock,
    site: { ...SITE, staleAfterMs: 3 * STEP_MS },
    meters: [
      {
        resource: manager(world, clock, { id: 'grid', menu: () => null, power_W: () => world.grid_W() }),
        name: 'Grid',
        role: 'grid',
      },
    ],
    devices: devicesOf(world).map((d, priority) => ({
      resource: manager(world, clock, d),
      settings: { priority, mode, deadline: null },
    })),
    series,
    journal,
    settings: {
      get: (name) => settings.get(name) ?? null,
      set: (name, value) => void settings.set(name, value),
      remove: (name) => void settings.delete(name),
    },
    overrides: { load: () => new Map(), save: () => {} },
    signals: () => (hourOf(world.nowMs) < 13 ? TODAY : AND_TOMORROW),
    broker: () => ({ connected: true, sinceMs: null }),
    modes: (devices) => planning?.modes(devices) ?? null,
    feedWatchdog: () => {},
    changed: () => {},
  });
  gateway.start();
  planning = new Planning({
    clock,
    series,
    journal,
    gridMeter: 'grid',
    place: null,
    roof: null,
    make: async (task) => ok(await planHouse(task, null)),
    image: () => gateway.snapshot().image,
    changed: () => gateway.poke(),
  });
  planning.start();
  for (let atMs = STEP_MS; atMs <= DAY_MS; atMs += STEP_MS) {
    world.step();
    await real.advanceTo(atMs);
  }
  planning.stop();
  await gateway.stop();
  return world;
}

test('a day planned is cheaper than a day by itself, as warm, and within its limit', async (t) => {
  const alone = await day('always');
  const planned = await day('cheap');
  const [before, after] = [alone.worth(), planned.worth()];
  t.ok(
    after < 0.93 * before,
    `${after.toFixed(2)} EUR against ${before.toFixed(2)} by own use and thermostat`,
  );
  t.comment(`${after.toFixed(2)} EUR planned, ${before.toFixed(2)} EUR by own use and thermostat`);
  t.ok(planned.coldest_C > 19.8, `${planned.coldest_C.toFixed(2)} °C at the coldest`);
  t.ok(alone.coldest_C > 19.8);
  for (const world of [alone, planned]) {
    t.ok(world.longestOver_s <= 40, `${world.longestOver_s} s above the limit while devices follow`);
    t.ok(world.fill >= 0.095 && world.fill <= 1.005);
  }
});
