/** A small home to decide on, in parts that a test replaces. */
import type { BatteryStore, Flexibility, HeatStore, Program } from '../../firmware/domain/flexibility.ts';
import type { DeviceImage, Image, Known, Site } from '../../firmware/domain/image.ts';
import type { Signal, SignalKind } from '../../firmware/domain/signal.ts';

/** A Thursday noon in Berlin. */
export const NOON = Date.UTC(2026, 0, 15, 11, 0);
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

export const known = (value: number | null, ageMs = 500): Known => ({ value, ageMs });

export const SITE: Site = {
  fuse_A: 35,
  phases: 3,
  nominal_V: 230,
  baseWorstCase_W: 3000,
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  staleAfterMs: 15_000,
  importTariff: [],
  exportTariff: [],
};

const FLEXIBILITY: Flexibility = {
  controlType: 'OPERATION_MODE_BASED_CONTROL',
  kind: 'boiler',
  name: 'Boiler',
  ranges: [
    { min_W: 0, max_W: 0 },
    { min_W: 2000, max_W: 2000 },
  ],
  step_W: 0,
  phases: [1],
  consequence: 'DEFER',
  minOnMs: 0,
  minOffMs: 0,
  worstCase_W: 2000,
  failsafe_W: null,
  need: null,
  steerable: false,
};

const DEVICE: DeviceImage = {
  id: 'boiler',
  flexibility: FLEXIBILITY,
  health: 'ok',
  power_W: known(0),
  setPoint_W: 0,
  inStateMs: Infinity,
  sinceLoweredMs: Infinity,
  override: { kind: 'automatic' },
  priority: 5,
  mode: 'always',
};

type Patch = Partial<Omit<DeviceImage, 'flexibility'>> & { readonly flexibility?: Partial<Flexibility> };

export const boiler = ({ flexibility, ...rest }: Patch = {}): DeviceImage => ({
  ...DEVICE,
  ...rest,
  flexibility: { ...FLEXIBILITY, ...flexibility },
});

/** Single-phase wallbox, 6–16 A. */
export const wallbox = ({ flexibility, ...rest }: Patch = {}): DeviceImage =>
  boiler({
    id: 'wallbox',
    priority: 7,
    ...rest,
    flexibility: {
      controlType: 'POWER_ENVELOPE_BASED_CONTROL',
      kind: 'wallbox',
      name: 'Wallbox',
      ranges: [
        { min_W: 0, max_W: 0 },
        { min_W: 1380, max_W: 3680 },
      ],
      step_W: 230,
      phases: [2],
      worstCase_W: 3680,
      steerable: true,
      ...flexibility,
    },
  });

export const inverter = ({ flexibility, ...rest }: Patch = {}): DeviceImage =>
  boiler({
    id: 'inverter',
    setPoint_W: null,
    ...rest,
    flexibility: {
      controlType: 'POWER_ENVELOPE_BASED_CONTROL',
      kind: 'inverter',
      name: 'Roof',
      ranges: [{ min_W: -5000, max_W: 0 }],
      consequence: 'VANISH',
      phases: [1, 2, 3],
      ...flexibility,
    },
  });

export const BATTERY_STORE: BatteryStore = {
  kind: 'battery',
  capacity_Wh: 10_000,
  fill: 0.5,
  leastFill: 0.1,
  mostFill: 1,
  charge_W: 5000,
  discharge_W: 5000,
  chargeEfficiency: 0.95,
  dischargeEfficiency: 0.95,
  wear_perWh: 0.01e-3,
  gridCharge: true,
  gridDischarge: false,
};

/** 10 kWh, 5 kW. */
export const battery = (
  store: Partial<BatteryStore> = {},
  { flexibility, ...rest }: Patch = {},
): DeviceImage =>
  boiler({
    id: 'battery',
    mode: 'cheap',
    ...rest,
    flexibility: {
      controlType: 'FILL_RATE_BASED_CONTROL',
      kind: 'battery',
      name: 'Battery',
      ranges: [{ min_W: -5000, max_W: 5000 }],
      phases: [1, 2, 3],
      worstCase_W: 5000,
      store: { ...BATTERY_STORE, ...store },
      ...flexibility,
    },
  });

export const TANK_STORE: HeatStore = {
  kind: 'heat',
  what: 'tank',
  temperature_C: 52,
  outdoor_C: null,
  capacity_WhPerK: 350,
  loss_WPerK: 2.5,
  ambient_C: 18,
  comfort: [{ from: '00:00', lo_C: 45, hi_C: 58 }],
  most_C: 65,
  cop: [{ outdoor_C: 0, cop: 1 }],
};

/** 300 l with a heater of 2 kW, on or off. */
export const tank = (store: Partial<HeatStore> = {}, { flexibility, ...rest }: Patch = {}): DeviceImage =>
  boiler({
    id: 'tank',
    mode: 'cheap',
    ...rest,
    flexibility: {
      controlType: 'FILL_RATE_BASED_CONTROL',
      name: 'Hot water',
      store: { ...TANK_STORE, ...store },
      ...flexibility,
    },
  });

/** A house of 6 kWh/K that loses 150 W/K, heated by a heat pump with 0.5 to 3 kW. */
export const heatPump = (store: Partial<HeatStore> = {}, { flexibility, ...rest }: Patch = {}): DeviceImage =>
  tank(
    {
      what: 'house',
      temperature_C: 21,
      outdoor_C: 2,
      capacity_WhPerK: 6000,
      loss_WPerK: 150,
      ambient_C: null,
      comfort: [{ from: '00:00', lo_C: 20, hi_C: 22 }],
      most_C: null,
      cop: [
        { outdoor_C: -7, cop: 2.5 },
        { outdoor_C: 7, cop: 3.9 },
      ],
      ...store,
    },
    {
      id: 'heat-pump',
      ...rest,
      flexibility: {
        kind: 'heat-pump',
        name: 'Heat pump',
        phases: [1, 2, 3],
        ranges: [
          { min_W: 0, max_W: 0 },
          { min_W: 500, max_W: 3000 },
        ],
        worstCase_W: 3000,
        ...flexibility,
      },
    },
  );

/** Heats, washes, heats: 2 kW at most, 90 minutes. */
export const PROGRAM: Program = {
  steps: [
    { forMs: 30 * 60_000, power_W: 2000 },
    { forMs: 45 * 60_000, power_W: 100 },
    { forMs: 15 * 60_000, power_W: 2000 },
  ],
};

/** Asked to run, done in so many hours from `NOON`; `doneMs` null is not begun. */
export const dishwasher = (
  byHours: number | null,
  doneMs: number | null = null,
  { flexibility, ...rest }: Patch = {},
): DeviceImage =>
  boiler({
    id: 'dishwasher',
    mode: 'cheap',
    ...(byHours !== null && {
      override: { kind: 'runBy', byMs: NOON + byHours * HOUR },
      run: { byMs: NOON + byHours * HOUR, doneMs },
    }),
    ...rest,
    flexibility: {
      controlType: 'POWER_PROFILE_BASED_CONTROL',
      kind: 'appliance',
      name: 'Dishwasher',
      program: PROGRAM,
      ...flexibility,
    },
  });

export const image = (patch: Partial<Image> = {}): Image => ({
  cycle: 1,
  wallMs: NOON,
  elapsedMs: 1e6,
  wallTrusted: true,
  site: SITE,
  grid_W: known(400),
  gridPhase_A: [known(1), known(1), known(1)],
  devices: [boiler()],
  signals: [],
  nextInstructionId: 1,
  ...patch,
});

let serial = 0;

export const signal = (
  kind: SignalKind,
  intervals: Signal['intervals'],
  patch: Partial<Signal> = {},
): Signal => ({
  id: `s${serial++}`,
  source: 'Grid operator',
  kind,
  binding: kind.endsWith('Limit') ? 'commandable' : 'informational',
  scope: 'site',
  priority: 1,
  modifiedMs: NOON - HOUR,
  receivedMs: NOON - HOUR,
  currency: kind.endsWith('Price') ? 'EUR' : null,
  text: null,
  intervals,
  ...patch,
});

export const limitNow = (value: number | null, patch: Partial<Signal> = {}): Signal =>
  signal('importLimit', [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, value }], patch);

/** Hourly import prices in currency per kWh from `NOON` on. */
export const prices = (...perKWh: number[]): Signal =>
  signal(
    'importPrice',
    perKWh.map((p, i) => ({ fromMs: NOON + i * HOUR, untilMs: NOON + (i + 1) * HOUR, value: p / 1000 })),
  );
