/** What stands in the home of the tests: devices, what was decided for them, meters, prices, and what is on the air. */
import { fault, ok } from '../../firmware/domain/errors.ts';
import type { Flexibility } from '../../firmware/domain/flexibility.ts';
import type { DeviceDecision, DeviceImage, Override, Snapshot } from '../../firmware/domain/image.ts';
import type { RadioEar } from '../../firmware/domain/radio.ts';
import type { Signal } from '../../firmware/domain/signal.ts';

import { MIDNIGHT, NOON } from './clock.ts';

const HOUR = 3_600_000;
export const flexibility = (
  given: Partial<Flexibility> & Pick<Flexibility, 'kind' | 'name'>,
): Flexibility => ({
  controlType: 'POWER_ENVELOPE_BASED_CONTROL',
  ranges: [{ min_W: 0, max_W: 0 }],
  step_W: 0,
  phases: [1],
  consequence: 'DEFER',
  minOnMs: 0,
  minOffMs: 0,
  worstCase_W: 0,
  failsafe_W: null,
  need: null,
  steerable: true,
  ...given,
});

export function device(
  id: string,
  power_W: number | null,
  flex: Flexibility,
  override: Override,
): DeviceImage {
  return {
    id,
    flexibility: flex,
    health: power_W === null ? 'silent' : 'ok',
    power_W: { value: power_W, ageMs: power_W === null ? Infinity : 900 },
    setPoint_W: power_W,
    inStateMs: 600_000,
    sinceLoweredMs: Infinity,
    override,
    priority: 1,
    mode: 'cheap',
  };
}

/** Day-ahead prices as they are in summer: cheap at noon, dear in the evening, in EUR per Wh. */
export const HOURLY = [
  112, 104, 98, 95, 97, 108, 131, 148, 139, 104, 71, 42, 28, 22, 26, 47, 83, 121, 168, 214, 243, 221, 172,
  138,
].map((perMWh) => (perMWh + 145) / 1e6);

export function prices(): Signal {
  return {
    id: 'day-ahead',
    source: 'Day-ahead market',
    kind: 'importPrice',
    binding: 'informational',
    scope: 'site',
    priority: 10,
    modifiedMs: MIDNIGHT,
    receivedMs: MIDNIGHT,
    currency: 'EUR',
    text: null,
    intervals: Array.from({ length: 48 }, (_, hour) => ({
      fromMs: MIDNIGHT + hour * HOUR,
      untilMs: MIDNIGHT + (hour + 1) * HOUR,
      value: (HOURLY[hour % 24] ?? 0) * (hour < 24 ? 1 : 0.93),
    })),
  };
}

export function devicesOf(of: (id: string) => Override): DeviceImage[] {
  return [
    device(
      'wallbox',
      1380,
      flexibility({
        kind: 'wallbox',
        name: 'Car charger',
        ranges: [
          { min_W: 0, max_W: 0 },
          { min_W: 1380, max_W: 7360 },
        ],
        need: { energy_Wh: 14_000, byMs: MIDNIGHT + 31 * HOUR },
      }),
      of('wallbox'),
    ),
    device('boiler', 0, flexibility({ kind: 'boiler', name: 'Hot water' }), of('boiler')),
    device('heat-pump', null, flexibility({ kind: 'heat-pump', name: 'Heat pump' }), of('heat-pump')),
    device(
      'solar',
      -2140,
      flexibility({ kind: 'inverter', name: 'Solar roof', ranges: [{ min_W: -6000, max_W: 0 }] }),
      of('solar'),
    ),
    device(
      'dishwasher',
      640,
      flexibility({ kind: 'appliance', name: 'Dishwasher', controlType: 'NOT_CONTROLABLE' }),
      of('dishwasher'),
    ),
  ];
}

export function decided(devices: readonly DeviceImage[]): DeviceDecision[] {
  const slot = (from: number, until: number, power_W: number) => ({
    fromMs: MIDNIGHT + from * HOUR,
    untilMs: MIDNIGHT + until * HOUR,
    power_W,
  });
  const limit = {
    code: 'GRID_LIMIT' as const,
    values: { limit_W: 4200, untilMs: NOON + 70 * 60_000, source: 'Grid operator', scope: 'site' },
  };
  const table: Record<string, Pick<DeviceDecision, 'reasons' | 'planned'>> = {
    wallbox: {
      reasons: [limit, { code: 'DEADLINE_RUN', values: { byMs: MIDNIGHT + 31 * HOUR } }],
      planned: [slot(17.34, 18.5, 1380), slot(26, 30, 3680)],
    },
    boiler: {
      reasons: [{ code: 'PRICE_WAIT', values: { fromMs: MIDNIGHT + 35 * HOUR, price: 0.000266 } }],
      planned: [slot(11, 14, 2000), slot(35, 38, 2000)],
    },
    'heat-pump': { reasons: [{ code: 'DEVICE_LOST', values: { worstCase_W: 2400 } }], planned: [] },
    solar: { reasons: [{ code: 'FREE', values: {} }], planned: [] },
  };
  return devices.flatMap(({ id, setPoint_W, override }) => {
    const row = table[id];
    if (!row) return [];
    const wish = { kind: override.kind };
    const reasons =
      wish.kind === 'off' ? [{ code: 'OWNER_OFF' as const, values: {} }, ...row.reasons] : row.reasons;
    return [{ resource: id, setPoint_W: setPoint_W ?? 0, ...row, reasons }];
  });
}

export const METERS = (nowMs: number, grid_W: number | null): Snapshot['meters'] => [
  {
    id: 'grid',
    name: 'Electricity meter',
    health: grid_W === null ? 'silent' : 'ok',
    lastMs: nowMs - 800,
    values: [
      { point: 'grid/activePowerImport', value: grid_W, unit: 'W' },
      { point: 'grid/activeEnergyImport/T1', value: 4_312_087, unit: 'Wh' },
      { point: 'grid/voltage/L1', value: 232.1, unit: 'V' },
      { point: 'grid/volume/C1', value: 1204.337, unit: 'm3' },
    ],
    faults: { BAD_CHECKSUM: 2 },
  },
  {
    id: 'heat',
    name: 'Heat meter',
    health: 'silent',
    lastMs: nowMs - 5 * HOUR,
    values: [],
    faults: { TIMEOUT: 61 },
  },
  {
    id: 'water',
    name: 'Water meter',
    health: 'ok',
    lastMs: nowMs - 9_000,
    values: [
      { point: 'water/temperature', value: 11.5, unit: 'C' },
      { point: 'water/volume', value: 412.506, unit: 'm3' },
    ],
    faults: {},
    notes: [
      { code: 'BATTERY_LOW', atMs: null, detail: { flag: 'lowBattery' } },
      { code: 'METER_ALARM', atMs: null, detail: { flag: 'permanentError' } },
    ],
  },
];

/** What is on the air: the neighbour's water meter, encrypted. Only the key of all zeros opens it. */
export const RADIO: RadioEar = {
  heard: () => [
    {
      ...{ id: '76543210', manufacturer: 'KAM', version: 27, medium: 'cold water', configured: false },
      ...{ telegrams: 3, lastMs: NOON, signal_dBm: -71, refused: fault('KEY_MISSING'), kept: 2 },
    },
  ],
  tryKey: (_, key) =>
    ok(
      key.every((byte) => byte === 0)
        ? {
            ...{ tried: 2, opened: 2, refused: null },
            readings: [{ quantity: 'volume', name: 'total', value: 88.1, unit: 'm3' }],
          }
        : { tried: 2, opened: 0, refused: fault('KEY_WRONG'), readings: [] },
    ),
};
