/**
 * The OpenADR 3.1 dialect: an event object, or the notification that carries one, to signals. The message says what
 * and when; whether it binds, for what and who sent it comes from the programme's setting alone, because nothing in
 * an event says so.
 */
import * as z from 'zod';
import { ok, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import {
  type LimitScope,
  LOWEST_PRIORITY,
  type Signal,
  type SignalChange,
  type SignalInterval,
  type SignalKind,
} from '../domain/signal.ts';
import { durationMs, FOR_EVER_MS, startMs } from './duration.ts';

/** Made at commissioning. */
export interface ProgramSetting {
  readonly id: string;
  /** Who is behind it, as the owner sees it. */
  readonly name: string;
  readonly binding: 'informational' | 'commandable';
  readonly scope: LimitScope;
}

export interface DialectContext {
  readonly programs: readonly ProgramSetting[];
  readonly receivedMs: number;
  /** The random shift of an event's start, in [−1, 1); the same for the same event, over restarts. */
  readonly draw: (eventId: string) => number;
}

const period = z.looseObject({
  start: z.string().optional(),
  duration: z.string().optional(),
  randomizeStart: z.string().optional(),
});
const payload = z.looseObject({
  type: z.string().min(1).max(128),
  values: z.array(z.unknown()).max(LIMITS.signalIntervals),
});
const interval = z.looseObject({ intervalPeriod: period.nullish(), payloads: z.array(payload).max(16) });
const descriptor = z.looseObject({
  payloadType: z.string(),
  units: z.string().nullish(),
  currency: z.string().nullish(),
});
const event = z.looseObject({
  id: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  programID: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  modificationDateTime: z.string().optional(),
  createdDateTime: z.string().optional(),
  priority: z.int().min(0).nullish(),
  duration: z.string().nullish(),
  payloadDescriptors: z.array(descriptor).max(32).nullish(),
  intervalPeriod: period.nullish(),
  intervals: z.array(interval).max(LIMITS.signalIntervals).nullish(),
});
const notification = z.looseObject({
  objectType: z.literal('EVENT'),
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE']),
  object: event,
});

type Event = z.infer<typeof event>;

interface PayloadRow {
  readonly kind: SignalKind;
  /** The unit it must have, and the factor to the unit of the house. */
  readonly unit: string;
  readonly factor: number;
  readonly min: number;
  readonly max: number;
}

/** Payload types that are acted on. Prices beyond ±100 a kWh and limits beyond 10 MW are mistakes or attacks. */
const PAYLOADS: ReadonlyMap<string, PayloadRow> = new Map(
  Object.entries({
    PRICE: { kind: 'importPrice', unit: 'KWH', factor: 1 / 1000, min: -100, max: 100 },
    EXPORT_PRICE: { kind: 'exportPrice', unit: 'KWH', factor: 1 / 1000, min: -100, max: 100 },
    GHG: { kind: 'co2', unit: 'GHG', factor: 1 / 1000, min: 0, max: 5000 },
    IMPORT_CAPACITY_LIMIT: { kind: 'importLimit', unit: 'KW', factor: 1000, min: 0, max: 10_000 },
    EXPORT_CAPACITY_LIMIT: { kind: 'exportLimit', unit: 'KW', factor: 1000, min: 0, max: 10_000 },
  } satisfies Record<string, PayloadRow>),
);

/** Reads one message. Never throws; nothing of a refused message takes effect. */
export function readOpenAdr3(bytes: Uint8Array, context: DialectContext): Result<SignalChange> {
  if (bytes.length > LIMITS.signalMessage_bytes)
    return refuse('OVERSIZED', 'the message is longer than 256 KiB');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('SIGNAL_NOT_JSON');
  }
  const wrapped = typeof json === 'object' && json !== null && 'operation' in json;
  const parsed = wrapped ? notification.safeParse(json) : event.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refuse('SIGNAL_INVALID', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  }
  const data = parsed.data as { operation?: string; object?: Event };
  const found = data.object ?? (parsed.data as Event);
  const program = context.programs.find((p) => p.id === found.programID);
  if (!program) return refuse('SIGNAL_UNKNOWN_PROGRAM', `programme ${found.programID} was not commissioned`);
  if (data.operation === 'DELETE' || isCancelled(found)) return ok({ keep: [], cancel: [idOf(found)] });
  return signalsOf(found, program, context);
}

const idOf = (found: Event): string => `openadr3/${found.programID}/${found.id}`;

/** PT0S on the event or its only period says that it is off (3.1 User Guide). */
const isCancelled = (found: Event): boolean =>
  durationMs(found.duration ?? 'PT1S') === 0 || durationMs(found.intervalPeriod?.duration ?? 'PT1S') === 0;

function signalsOf(found: Event, program: ProgramSetting, context: DialectContext): Result<SignalChange> {
  const modifiedMs = Date.parse(found.modificationDateTime ?? found.createdDateTime ?? '');
  const slots = timeline(found, context);
  if (!slots.ok) return slots;
  const byType = new Map<string, SignalInterval[]>();
  for (const { fromMs, untilMs, payloads } of slots.value) {
    for (const { type, values } of payloads) {
      const row = PAYLOADS.get(type);
      if (!row) continue;
      const parts = split(fromMs, untilMs, values, row);
      if (!parts.ok) return parts;
      byType.set(type, [...(byType.get(type) ?? []), ...parts.value]);
    }
  }
  const keep: Signal[] = [];
  for (const [type, intervals] of byType) {
    const row = PAYLOADS.get(type);
    if (!row) continue;
    const unit = unitFault(found, type, row);
    if (unit) return refuse('SIGNAL_INVALID', unit);
    keep.push({
      id: `${idOf(found)}${byType.size > 1 ? `/${type}` : ''}`,
      source: program.name,
      kind: row.kind,
      binding: row.kind.endsWith('Limit') ? program.binding : 'informational',
      scope: program.scope,
      priority: found.priority ?? LOWEST_PRIORITY,
      modifiedMs: Number.isNaN(modifiedMs) ? context.receivedMs : modifiedMs,
      receivedMs: context.receivedMs,
      currency: row.kind.endsWith('Price') ? (descriptorOf(found, type)?.currency ?? null) : null,
      text: null,
      intervals,
    });
  }
  return keep.length > 0
    ? ok({ keep, cancel: [] })
    : refuse('UNSUPPORTED', 'the event carries nothing that this gateway acts on');
}

const descriptorOf = (found: Event, type: string) =>
  found.payloadDescriptors?.find((d) => d.payloadType === type);

function unitFault(found: Event, type: string, row: PayloadRow): string | null {
  const unit = descriptorOf(found, type)?.units;
  return unit == null || unit === row.unit
    ? null
    : `payloadDescriptors: ${type} in ${unit.slice(0, 16)}, expected ${row.unit}`;
}

interface TimedPayloads {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly payloads: readonly z.infer<typeof payload>[];
}

/** Section "interval periods" of the guide: an interval without its own follows the one before. */
function timeline(found: Event, context: DialectContext): Result<readonly TimedPayloads[]> {
  const out: TimedPayloads[] = [];
  const shift = randomShift(found, context);
  if (shift === null) return refuse('SIGNAL_INVALID', 'intervalPeriod.randomizeStart: expected a duration');
  let nextMs: number | null = null;
  for (const [index, item] of (found.intervals ?? []).entries()) {
    const own =
      item.intervalPeriod?.start === undefined
        ? null
        : startMs(item.intervalPeriod.start, context.receivedMs);
    if (item.intervalPeriod?.start !== undefined && own === null)
      return badTime(`intervals.${index}.intervalPeriod.start`);
    const eventStart: number | null =
      found.intervalPeriod?.start === undefined
        ? null
        : startMs(found.intervalPeriod.start, context.receivedMs);
    if (found.intervalPeriod?.start !== undefined && eventStart === null)
      return badTime('intervalPeriod.start');
    const fromMs: number | null = own ?? nextMs ?? (eventStart === null ? null : eventStart + shift);
    const length = durationMs(item.intervalPeriod?.duration ?? found.intervalPeriod?.duration ?? 'P9999Y');
    if (fromMs === null) return badTime(`intervals.${index}: no start`);
    if (length === null) return badTime(`intervals.${index}.intervalPeriod.duration`);
    nextMs = fromMs + length;
    if (length > 0) out.push({ fromMs, untilMs: nextMs, payloads: item.payloads });
  }
  if (out.length === 0) return refuse('SIGNAL_INVALID', 'intervals: the event has none');
  return overall(found, out);
}

const badTime = (path: string): { ok: false; error: { code: 'SIGNAL_INVALID'; message: string } } => ({
  ok: false,
  error: { code: 'SIGNAL_INVALID', message: `${path}: expected a time or duration of RFC 3339 / ISO 8601` },
});

function randomShift(found: Event, context: DialectContext): number | null {
  const text = found.intervalPeriod?.randomizeStart;
  if (text === undefined) return 0;
  const most = durationMs(text);
  return most === null ? null : Math.round(most * context.draw(found.id));
}

/** `event.duration` longer than the intervals repeats them, shorter cuts them. */
function overall(found: Event, slots: readonly TimedPayloads[]): Result<readonly TimedPayloads[]> {
  if (found.duration == null) return ok(slots);
  const length = durationMs(found.duration);
  if (length === null) return badTime('duration');
  const first = Math.min(...slots.map((s) => s.fromMs));
  const last = Math.max(...slots.map((s) => s.untilMs));
  const span = last - first;
  const end = first + length;
  const out: TimedPayloads[] = [];
  for (let offset = 0; first + offset < end && out.length < LIMITS.signalIntervals; offset += span) {
    for (const s of slots) {
      const [fromMs, untilMs] = [s.fromMs + offset, Math.min(s.untilMs + offset, end)];
      if (fromMs < untilMs) out.push({ ...s, fromMs, untilMs });
    }
    if (span >= FOR_EVER_MS) break;
  }
  return ok(out);
}

/** Several values of a single payload split its interval evenly. null is "no limit", 0 is 0. */
function split(
  fromMs: number,
  untilMs: number,
  values: readonly unknown[],
  row: PayloadRow,
): Result<SignalInterval[]> {
  if (values.length === 0) return refuse('SIGNAL_INVALID', 'payloads: no values');
  const step = (untilMs - fromMs) / values.length;
  const out: SignalInterval[] = [];
  for (const [i, value] of values.entries()) {
    const interval = { fromMs: Math.round(fromMs + i * step), untilMs: Math.round(fromMs + (i + 1) * step) };
    if (value === null && row.kind.endsWith('Limit')) {
      out.push({ ...interval, value: null });
      continue;
    }
    if (typeof value !== 'number' || !Number.isFinite(value))
      return refuse('SIGNAL_INVALID', 'payloads: a value is no number');
    if (value < row.min || value > row.max)
      return refuse('SIGNAL_OUT_OF_RANGE', `${value} is outside ${row.min}…${row.max} ${row.unit}`);
    out.push({ ...interval, value: value * row.factor });
  }
  return ok(out);
}
