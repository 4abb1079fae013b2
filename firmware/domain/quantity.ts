/**
 * What can be measured, and the one unit that the house keeps it in. Import and consumption are positive.
 * `kind` decides how a series is rolled up: a cumulative register by its last value, a momentary one by mean,
 * minimum and maximum, a state by its last value.
 */
export const QUANTITIES = {
  activeEnergyImport: { unit: 'Wh', kind: 'cumulative' },
  activeEnergyExport: { unit: 'Wh', kind: 'cumulative' },
  activeEnergy: { unit: 'Wh', kind: 'cumulative' },
  activeEnergyNet: { unit: 'Wh', kind: 'cumulative' },
  reactiveEnergyImport: { unit: 'varh', kind: 'cumulative' },
  reactiveEnergyExport: { unit: 'varh', kind: 'cumulative' },
  reactiveEnergyQ1: { unit: 'varh', kind: 'cumulative' },
  reactiveEnergyQ2: { unit: 'varh', kind: 'cumulative' },
  reactiveEnergyQ3: { unit: 'varh', kind: 'cumulative' },
  reactiveEnergyQ4: { unit: 'varh', kind: 'cumulative' },
  reactiveEnergy: { unit: 'varh', kind: 'cumulative' },
  apparentEnergyImport: { unit: 'VAh', kind: 'cumulative' },
  apparentEnergyExport: { unit: 'VAh', kind: 'cumulative' },
  apparentEnergy: { unit: 'VAh', kind: 'cumulative' },
  activePowerImport: { unit: 'W', kind: 'momentary' },
  activePowerExport: { unit: 'W', kind: 'momentary' },
  /** Mean of the running demand period (a quarter hour) so far, and the highest of the month. */
  activeDemandImport: { unit: 'W', kind: 'momentary' },
  activeDemandPeak: { unit: 'W', kind: 'momentary' },
  activePower: { unit: 'W', kind: 'momentary' },
  reactivePowerImport: { unit: 'var', kind: 'momentary' },
  reactivePowerExport: { unit: 'var', kind: 'momentary' },
  reactivePower: { unit: 'var', kind: 'momentary' },
  apparentPowerImport: { unit: 'VA', kind: 'momentary' },
  apparentPowerExport: { unit: 'VA', kind: 'momentary' },
  apparentPower: { unit: 'VA', kind: 'momentary' },
  voltage: { unit: 'V', kind: 'momentary' },
  current: { unit: 'A', kind: 'momentary' },
  frequency: { unit: 'Hz', kind: 'momentary' },
  powerFactor: { unit: '', kind: 'momentary' },
  phaseAngle: { unit: 'deg', kind: 'momentary' },
  volume: { unit: 'm3', kind: 'cumulative' },
  volumeFlow: { unit: 'm3/h', kind: 'momentary' },
  mass: { unit: 'kg', kind: 'cumulative' },
  massFlow: { unit: 'kg/h', kind: 'momentary' },
  heatEnergy: { unit: 'Wh', kind: 'cumulative' },
  coolingEnergy: { unit: 'Wh', kind: 'cumulative' },
  heatPower: { unit: 'W', kind: 'momentary' },
  temperature: { unit: 'C', kind: 'momentary' },
  outdoorTemperature: { unit: 'C', kind: 'momentary' },
  flowTemperature: { unit: 'C', kind: 'momentary' },
  returnTemperature: { unit: 'C', kind: 'momentary' },
  temperatureDifference: { unit: 'K', kind: 'momentary' },
  pressure: { unit: 'Pa', kind: 'momentary' },
  humidity: { unit: '%', kind: 'momentary' },
  batteryRemaining: { unit: 's', kind: 'momentary' },
  stateOfCharge: { unit: '%', kind: 'momentary' },
  heatCostAllocation: { unit: 'hca', kind: 'cumulative' },
  pulses: { unit: '', kind: 'cumulative' },
  duration: { unit: 's', kind: 'cumulative' },
  count: { unit: '', kind: 'cumulative' },
  powerFailures: { unit: '', kind: 'cumulative' },
  longPowerFailures: { unit: '', kind: 'cumulative' },
  voltageSags: { unit: '', kind: 'cumulative' },
  voltageSwells: { unit: '', kind: 'cumulative' },
  /** A meter's clock minus the gateway's. */
  clockDrift: { unit: 's', kind: 'momentary' },
  /** In the site's currency, as the signals said. */
  importPrice: { unit: '/Wh', kind: 'momentary' },
  exportPrice: { unit: '/Wh', kind: 'momentary' },
  state: { unit: '', kind: 'state' },
} as const satisfies Record<string, { unit: string; kind: 'cumulative' | 'momentary' | 'state' }>;

export type Quantity = keyof typeof QUANTITIES;
export type Unit = (typeof QUANTITIES)[Quantity]['unit'];

/** The factor from a unit as meters write it to the unit the house keeps, with that unit; undefined when unknown. */
export function toHouseUnit(unit: string): { readonly unit: string; readonly factor: Factor } | undefined {
  return HOUSE_UNITS.get(unit) ?? HOUSE_UNITS.get(plainSpelling(unit));
}

const plainSpelling = (unit: string): string =>
  unit.trim().toLowerCase().replace('³', '3').replace('^3', '3');

/** A factor as `multiply × 10^exponent`, so that decimal digits can be converted without rounding first. */
export interface Factor {
  readonly multiply: number;
  readonly exponent: number;
}

const plain = (exponent: number, multiply = 1): Factor => ({ multiply, exponent });

/** Most meters write their units as the standards do: those need no second look. */
const USUAL = [
  'kWh',
  'Wh',
  'MWh',
  'kvarh',
  'kVAh',
  'kW',
  'W',
  'kvar',
  'kVA',
  'VA',
  'V',
  'A',
  'Hz',
  'GJ',
  'MJ',
];

const HOUSE_UNITS = new Map<string, { unit: string; factor: Factor }>(
  (
    [
      ['Wh', 'wh', plain(0)],
      ['Wh', 'kwh', plain(3)],
      ['Wh', 'mwh', plain(6)],
      ['varh', 'varh', plain(0)],
      ['varh', 'kvarh', plain(3)],
      ['varh', 'mvarh', plain(6)],
      ['VAh', 'vah', plain(0)],
      ['VAh', 'kvah', plain(3)],
      ['W', 'w', plain(0)],
      ['W', 'kw', plain(3)],
      ['W', 'mw', plain(6)],
      ['var', 'var', plain(0)],
      ['var', 'kvar', plain(3)],
      ['VA', 'va', plain(0)],
      ['VA', 'kva', plain(3)],
      ['V', 'v', plain(0)],
      ['V', 'kv', plain(3)],
      ['A', 'a', plain(0)],
      ['Hz', 'hz', plain(0)],
      ['m3', 'm3', plain(0)],
      ['m3', 'dm3', plain(-3)],
      ['m3', 'l', plain(-3)],
      ['m3/h', 'm3/h', plain(0)],
      ['m3/h', 'm3ph', plain(0)],
      ['m3/h', 'l/h', plain(-3)],
      ['J', 'j', plain(0)],
      ['J', 'mj', plain(6)],
      ['J', 'gj', plain(9)],
      ['C', 'c', plain(0)],
      ['C', '°c', plain(0)],
      ['K', 'k', plain(0)],
      ['s', 's', plain(0)],
      ['s', 'h', plain(2, 36)],
      ['deg', '°', plain(0)],
      ['deg', 'deg', plain(0)],
      ['%', '%', plain(0)],
    ] as const
  ).flatMap(([unit, spelling, factor]) =>
    [spelling, ...USUAL.filter((name) => plainSpelling(name) === spelling)].map(
      (name) => [name, { unit, factor }] as const,
    ),
  ),
);
