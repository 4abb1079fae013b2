/** A meter as a household reads it: the main values first, in units that stand on displays and bills. */
import type { MeterView } from '../domain/image.ts';
import { METER_EVENTS, type MeterEvent } from '../domain/meter-event.ts';
import { displayed } from './displayed.ts';
import type { MeterCard } from './schema.ts';
import { codeWords, HEALTH } from './sentences.ts';

type Value = MeterCard['values'][number];
type Group = Value['group'];

/** What a meter is there for, the most asked for first; by the other quantities only installers go. */
const MAIN = [
  'activeEnergyImport',
  'activeEnergyExport',
  'activeEnergy',
  'activePower',
  'activePowerImport',
  'activePowerExport',
  'activeDemandPeak',
  'heatEnergy',
  'coolingEnergy',
  'volume',
  'mass',
  'heatCostAllocation',
  'heatPower',
  'volumeFlow',
  'flowTemperature',
  'returnTemperature',
  'temperature',
  'humidity',
  'stateOfCharge',
  'batteryRemaining',
];
const GROUPS: readonly Group[] = ['main', 'behind', 'tariffs', 'phases', 'more'];

const LABELS: Readonly<Record<string, string>> = {
  activeEnergyImport: 'Energy from the grid',
  activeEnergyExport: 'Energy to the grid',
  activeEnergy: 'Energy',
  activeEnergyNet: 'Energy from the grid less energy to it',
  activePowerImport: 'Power from the grid',
  activePowerExport: 'Power to the grid',
  activePower: 'Power',
  activeDemandImport: 'Mean power of this quarter hour',
  activeDemandPeak: 'Highest quarter hour of the month',
  heatEnergy: 'Heat',
  coolingEnergy: 'Cooling',
  heatPower: 'Heating power',
  volume: 'Volume',
  volumeFlow: 'Flow',
  heatCostAllocation: 'Heat cost units',
  returnTemperature: 'Return temperature',
  batteryRemaining: 'Battery lasts',
  stateOfCharge: 'Charged',
  clockDrift: 'Its clock is ahead by',
  powerFailures: 'Power failures',
  longPowerFailures: 'Long power failures',
  duration: 'Hours of operation',
};

interface Parts {
  readonly quantity: string;
  readonly phase: string | null;
  readonly tariff: string | null;
  readonly channel: string | null;
}

function partsOf(point: string): Parts {
  const [, quantity = point, ...rest] = point.split('/');
  const part = (letter: string): string | null => rest.find((r) => r.startsWith(letter))?.slice(1) ?? null;
  return { quantity, phase: part('L'), tariff: part('T'), channel: part('C') };
}

export function meterCard(meter: MeterView): MeterCard {
  const points = meter.values.map(({ point }) => point);
  const faults = Object.entries(meter.faults)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => ({ code, count, sentence: codeWords(code) }));
  return {
    id: meter.id,
    name: meter.name,
    health: meter.health,
    sentence: HEALTH[meter.health],
    lastMs: meter.lastMs,
    values: meter.values
      .map((value) => ({
        ...value,
        label: labelOf(value.point),
        text: displayed(partsOf(value.point).quantity, value.value, value.unit),
        group: groupOf(value.point, points),
      }))
      .sort((a, b) => placeOf(a) - placeOf(b)),
    notes: (meter.notes ?? []).map(noteSentence),
    faults,
  };
}

/** A tariff is a main value only where the meter sends no total. */
function groupOf(point: string, points: readonly string[]): Group {
  const { quantity, phase, tariff, channel } = partsOf(point);
  if (channel !== null) return 'behind';
  if (phase !== null) return 'phases';
  if (tariff !== null && points.includes(point.replace(`/T${tariff}`, ''))) return 'tariffs';
  return MAIN.includes(quantity) ? 'main' : 'more';
}

function placeOf({ point, group }: Pick<Value, 'point' | 'group'>): number {
  const place = MAIN.indexOf(partsOf(point).quantity);
  return GROUPS.indexOf(group) * 100 + (place < 0 ? 99 : place);
}

/** `grid/activePowerImport/L1/T2` → `Power from the grid · phase 1 · tariff 2`. */
export function labelOf(point: string): string {
  const { quantity, phase, tariff, channel } = partsOf(point);
  const plain = quantity.replace(/([A-Z]+)/g, (upper) => ` ${upper.toLowerCase()}`);
  const label = LABELS[quantity] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
  return [
    ...(channel === null ? [] : [`Meter ${channel} behind it`]),
    label,
    ...(phase === null ? [] : [`phase ${phase}`]),
    ...(tariff === null ? [] : [`tariff ${tariff}`]),
  ].join(' · ');
}

const FLAGS: Readonly<Record<string, string>> = {
  permanentError: 'a permanent error',
  temporaryError: 'a temporary error',
  applicationError: 'an error in its program',
  alarm: 'an alarm or an abnormal condition',
};

function noteSentence({ code, detail }: MeterEvent): string {
  const words = METER_EVENTS[code];
  const { text, flag, drift_s } = detail;
  const said = code === 'TEXT_MESSAGE' && typeof text === 'string' ? text : null;
  const more = said ?? (typeof flag === 'string' && flag !== 'lowBattery' ? (FLAGS[flag] ?? flag) : null);
  const drift = typeof drift_s === 'number' ? `${Math.abs(drift_s)} s` : null;
  const extra = more ?? drift;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${extra === null ? '' : `: ${extra}`}.`;
}
