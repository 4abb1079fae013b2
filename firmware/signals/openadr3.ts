/**
 * The OpenADR 3.1 dialect: an event object, or the notification that carries one, to signals. The message says what
 * and when; whether it binds, for what and who sent it comes from the programme's setting alone, because nothing in
 * an event says so.
 */
import { createHash } from 'node:crypto';
import { type Fault, ok, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import {
  type Baseline,
  isLimiting,
  LOWEST_PRIORITY,
  type Signal,
  type SignalChange,
} from '../domain/signal.ts';
import { isWallPlausible } from '../domain/time.ts';
import { type Baselines, PAYLOADS, type PayloadRow } from './openadr3-payloads.ts';
import { type Event, event, notification } from './openadr3-schema.ts';
import { isCancelled, type TimeContext, timeline } from './openadr3-time.ts';
import { type Values, valuesOf } from './openadr3-values.ts';
import { type ProgramSetting, restoreOf } from './program.ts';
import { fits } from './topic.ts';

export interface DialectContext extends Pick<TimeContext, 'draw'> {
  readonly receivedMs: number;
  readonly programs: readonly ProgramSetting[];
  /** Where the message came from; null where the carrier has no topics. */
  readonly topic?: string | null;
  readonly baselines?: Baselines;
  /** Of the site: what a price is in where the message does not say. */
  readonly currency?: string;
  /** What an event that is known was measured against. */
  readonly measured?: (event: string) => Baseline | null;
}

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
  if (program.topic !== undefined && context.topic != null && !fits(program.topic, context.topic))
    return refuse('SIGNAL_UNKNOWN_TOPIC', `programme ${program.id} is not taken from this topic`);
  if (data.operation === 'DELETE' || isCancelled(found))
    return ok({
      keep: [],
      cancel: [
        {
          event: idOf(found),
          modifiedMs: modifiedOf(found),
          digest: digestOf({ operation: 'DELETE', found }),
        },
      ],
    });
  return signalsOf(found, program, context);
}

const idOf = (found: Event): string => `openadr3/${found.programID}/${found.id}`;

/** The sender's time of the last change, null when the message does not say. */
function modifiedOf({ modificationDateTime, createdDateTime }: Event): number | null {
  const ms = Date.parse(modificationDateTime ?? createdDateTime ?? '');
  return Number.isNaN(ms) ? null : ms;
}

/**
 * What "now" means: when it was said, so that it does not start anew each time it is heard, but never later than our
 * own time, where there is one. Who does not say when means the moment of receipt.
 */
function nowOf(found: Event, { receivedMs }: DialectContext): number {
  const saidMs = modifiedOf(found) ?? receivedMs;
  return isWallPlausible(receivedMs) ? Math.min(saidMs, receivedMs) : saidMs;
}

const digestOf = (content: object): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22);

function signalsOf(found: Event, program: ProgramSetting, context: DialectContext): Result<SignalChange> {
  const slots = timeline(found, { ...context, nowMs: nowOf(found, context) });
  if (!slots.ok) return slots;
  const digest = digestOf(found);
  const measured = context.measured?.(idOf(found)) ?? null;
  const keep: Signal[] = [];
  const gaps: { id: string; reason: Fault }[] = [];
  for (const [type, row] of PAYLOADS) {
    const values = valuesOf(type, row, slots.value, {
      program,
      baselines: context.baselines ?? (() => null),
      measured,
      unit: descriptorOf(found, type)?.units ?? null,
      currency: descriptorOf(found, type)?.currency ?? context.currency ?? null,
    });
    if (!values.ok) return values;
    if (values.value.intervals.length === 0) continue;
    const signal = signalOf(found, type, row, program, values.value, digest, context);
    keep.push(signal);
    if (values.value.gap) gaps.push({ id: signal.id, reason: values.value.gap });
  }
  return keep.length > 0
    ? ok({ keep, cancel: [], gaps })
    : refuse('UNSUPPORTED', 'the event carries nothing that this gateway acts on');
}

const descriptorOf = (found: Event, type: string) =>
  found.payloadDescriptors?.find((d) => d.payloadType === type);

function signalOf(
  found: Event,
  type: string,
  row: PayloadRow,
  program: ProgramSetting,
  { intervals, baseline, text }: Values,
  digest: string,
  { receivedMs, draw }: DialectContext,
): Signal {
  const commands = isLimiting(row.kind);
  return {
    id: `${idOf(found)}/${type}`,
    source: program.name,
    kind: row.kind,
    binding: commands ? program.binding : 'informational',
    scope: program.scope,
    priority: row.standing ? LOWEST_PRIORITY + 1 : (found.priority ?? LOWEST_PRIORITY),
    modifiedMs: modifiedOf(found) ?? receivedMs,
    receivedMs,
    currency: row.kind.endsWith('Price') ? (descriptorOf(found, type)?.currency ?? null) : null,
    text,
    intervals,
    digest,
    ...(baseline && { baseline }),
    ...(commands && { restore: restoreOf([program], draw(`${found.id}/end`)) }),
  };
}
