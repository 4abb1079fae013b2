/** What the payload types of OpenADR 3.1 mean here, and how their values become watts and prices. */
import { MOST_EUR_PER_KWH, perEuro } from '../domain/currency.ts';
import { ok, type Result, refuse } from '../domain/errors.ts';
import type { Baseline, BaselineName, SignalKind } from '../domain/signal.ts';
import type { Level, ProgramSetting } from './program.ts';

/** Watts of a named baseline now, null when it is not known. */
export type Baselines = (name: BaselineName) => number | null;

export interface ValueContext {
  readonly program: ProgramSetting;
  readonly baselines: Baselines;
  /** What an earlier version of the event was measured against; null for an event that is new. */
  readonly measured: Baseline | null;
  /** Of the descriptor; null when the message gives none. */
  readonly unit: string | null;
  /** Of the descriptor, else of the site; null when neither says. */
  readonly currency: string | null;
}

/** The value in the unit of the house, and what it was resolved against where it was relative. */
export interface Read {
  readonly value: number | null;
  readonly baseline?: Baseline;
  readonly text?: string;
}

export interface PayloadRow {
  readonly kind: SignalKind;
  /** The units it may have; the first is meant where none is given. Empty: it has none. */
  readonly units: readonly string[];
  /** Of a limit: null says "no limit". */
  readonly nullable: boolean;
  /** Below every event with a priority: what holds when nothing else is said. */
  readonly standing: boolean;
  readonly read: (value: unknown, context: ValueContext) => Result<Read>;
}

type Row = readonly [type: string, row: Omit<PayloadRow, 'nullable' | 'standing'> & Partial<PayloadRow>];

/** Powers beyond 10 MW are mistakes or attacks. */
const kilowatts = scaled(1000, 0, 10_000);
const KW = ['KW'] as const;

const ROWS: readonly Row[] = [
  ['PRICE', { kind: 'importPrice', units: ['KWH'], read: priced('importPrice') }],
  ['EXPORT_PRICE', { kind: 'exportPrice', units: ['KWH'], read: priced('exportPrice') }],
  ['GHG', { kind: 'co2', units: ['GHG'], read: scaled(1 / 1000, 0, 5000) }],
  ['IMPORT_CAPACITY_LIMIT', { kind: 'importLimit', units: KW, nullable: true, read: kilowatts }],
  ['EXPORT_CAPACITY_LIMIT', { kind: 'exportLimit', units: KW, nullable: true, read: kilowatts }],
  // What is contracted applies whenever the limits run out.
  [
    'IMPORT_CAPACITY_SUBSCRIPTION',
    { kind: 'importLimit', units: KW, nullable: true, standing: true, read: kilowatts },
  ],
  [
    'EXPORT_CAPACITY_SUBSCRIPTION',
    { kind: 'exportLimit', units: KW, nullable: true, standing: true, read: kilowatts },
  ],
  ['DISPATCH_SETPOINT', { kind: 'setPoint', units: KW, nullable: true, read: kilowatts }],
  ['DISPATCH_SETPOINT_RELATIVE', { kind: 'importLimit', units: ['KW', 'PERCENT'], read: relative }],
  ['SIMPLE', { kind: 'importLimit', units: [], read: simple }],
  // The standard leaves names to be agreed on; it has units for both.
  ['SOLAR_FORECAST', { kind: 'solarForecast', units: KW, read: scaled(1000, 0, 1000) }],
  ['TEMPERATURE_FORECAST', { kind: 'temperatureForecast', units: ['CELSIUS', 'FAHRENHEIT'], read: degrees }],
  ...[
    'GRID_EMERGENCY',
    'BLACK_START',
    'POSSIBLE_OUTAGE',
    'FLEX_ALERT',
    'FIRE',
    'FREEZING',
    'WIND',
    'TSUNAMI',
    'AIR_QUALITY',
    'OTHER',
  ].map((name): Row => [`ALERT_${name}`, { kind: 'alert', units: [], read: alert }]),
];

export const PAYLOADS: ReadonlyMap<string, PayloadRow> = new Map(
  ROWS.map(([type, row]) => [type, { nullable: false, standing: false, ...row }]),
);

/** Per kWh, with the contract's terms on it. */
function priced(kind: 'importPrice' | 'exportPrice'): PayloadRow['read'] {
  return (value, { program, currency }) => {
    const most = MOST_EUR_PER_KWH * perEuro(currency);
    const read = within(value, -most, most);
    const { factor = 1, plus = 0 } = program[kind] ?? {};
    return read.ok ? ok({ value: (read.value * factor + plus) / 1000 }) : read;
  };
}

function degrees(value: unknown, { unit }: ValueContext): Result<Read> {
  const read = within(value, -100, 150);
  if (!read.ok) return read;
  return ok({ value: unit === 'FAHRENHEIT' ? ((read.value - 32) * 5) / 9 : read.value });
}

function scaled(factor: number, min: number, max: number): PayloadRow['read'] {
  return (value) => {
    const read = within(value, min, max);
    return read.ok ? ok({ value: read.value * factor }) : read;
  };
}

function within(value: unknown, min: number, max: number): Result<number> {
  if (typeof value !== 'number' || !Number.isFinite(value))
    return refuse('SIGNAL_INVALID', 'payloads: a value is no number');
  if (value < min || value > max) return refuse('SIGNAL_OUT_OF_RANGE', `${value} is outside ${min}…${max}`);
  return ok(value);
}

/** A change of consumption in kW, or in PERCENT as a share of the baseline. Only a reduction can command. */
function relative(value: unknown, context: ValueContext): Result<Read> {
  const percent = context.unit === 'PERCENT';
  const read = percent ? within(value, -1, 1) : within(value, -10_000, 10_000);
  if (!read.ok) return read;
  const change = context.program.reductionSign === 'positive' ? -read.value : read.value;
  if (change > 0) return refuse('UNSUPPORTED', 'an increase of consumption is no limit; send a set-point');
  const baseline = baselineOf(context, percent ? `${change * 100} %` : `${change * 1000} W`);
  const limit_W = baseline.value_W + change * (percent ? baseline.value_W : 1000);
  return ok({ value: Math.max(0, limit_W), baseline });
}

function simple(value: unknown, context: ValueContext): Result<Read> {
  const { levels } = context.program;
  if (!levels) return refuse('UNSUPPORTED', 'no meaning of the levels was agreed for this programme');
  const level: Level | undefined = typeof value === 'number' ? levels[value] : undefined;
  if (level === undefined) return refuse('SIGNAL_OUT_OF_RANGE', 'payloads: a level is 0, 1, 2 or 3');
  if (level === null) return ok({ value: null });
  if ('limit_W' in level) return ok({ value: level.limit_W });
  const baseline = baselineOf(context, `level ${value}: -${level.reduceBy * 100} %`);
  return ok({ value: baseline.value_W * (1 - level.reduceBy), baseline });
}

/**
 * What the event was measured against before, as long as the same is agreed. Else the agreed baseline; where it is not
 * known, what is contracted, and in the end the connection's rating.
 */
function baselineOf({ program, baselines, measured }: ValueContext, asked: string): Baseline {
  const agreed = program.baseline?.name ?? 'contracted';
  if (measured && (measured.agreed ?? measured.name) === agreed) return { ...measured, asked };
  const contracted = program.baseline?.contracted_W ?? null;
  const known = (name: BaselineName): number | null => (name === 'contracted' ? contracted : baselines(name));
  const name = ([agreed, 'contracted', 'nominal'] as const).find((one) => known(one) !== null) ?? 'nominal';
  return { name, ...(name !== agreed && { agreed }), value_W: known(name) ?? 0, asked };
}

function alert(value: unknown): Result<Read> {
  if (typeof value !== 'string') return refuse('SIGNAL_INVALID', 'payloads: an alert is a text');
  return ok({ value: null, text: value.slice(0, 128) });
}
