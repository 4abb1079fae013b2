/** Everything that an OpenADR 3.1 event says in one payload type, over its intervals. */
import { type Fault, fault, ok, type Result, refuse } from '../domain/errors.ts';
import { type Baseline, isLimiting, type SignalInterval } from '../domain/signal.ts';
import type { PayloadRow, Read, ValueContext } from './openadr3-payloads.ts';
import type { TimedPayloads } from './openadr3-time.ts';

export interface Values {
  readonly intervals: readonly SignalInterval[];
  readonly baseline: Baseline | null;
  readonly text: string | null;
  /** What is missing between the intervals, because it is no value; null when nothing is. */
  readonly gap: Fault | null;
}

/**
 * A value that is none makes a gap in what informs: its time is unknown, the others hold. Of what limits it makes
 * nothing of the event hold, because half a command is none; nor does an event without any good value.
 */
export function valuesOf(
  type: string,
  row: PayloadRow,
  slots: readonly TimedPayloads[],
  context: ValueContext,
): Result<Values> {
  const parts = slots.flatMap(({ fromMs, untilMs, payloads }) =>
    payloads
      .filter((p) => p.type === type)
      .flatMap(({ values }) => split(fromMs, untilMs, values, row, context)),
  );
  const good = parts.flatMap(({ span, read }) => (read.ok ? { span, ...read.value } : []));
  const [wrong = null] = parts.flatMap(({ read }) => (read.ok ? [] : read.error));
  if (wrong && (good.length === 0 || isLimiting(row.kind))) return { ok: false, error: wrong };
  const unit = wrongUnit(type, row, context);
  if (good.length > 0 && unit) return { ok: false, error: unit };
  const left = `${parts.length - good.length} of ${parts.length} values of ${type} left out`;
  return ok({
    intervals: good.map(({ span, value }) => ({ ...span, value })),
    baseline: good.find((part) => part.baseline)?.baseline ?? null,
    text: good.find((part) => part.text !== undefined)?.text ?? null,
    gap: wrong && fault(wrong.code, `${left}, the first: ${wrong.message}`),
  });
}

function wrongUnit(type: string, { units }: PayloadRow, { unit }: ValueContext): Fault | null {
  if (unit === null || units.includes(unit)) return null;
  const expected = units.join(' or ') || 'none';
  return fault('SIGNAL_INVALID', `payloadDescriptors: ${type} in ${unit.slice(0, 16)}, expected ${expected}`);
}

interface Part {
  readonly span: Pick<SignalInterval, 'fromMs' | 'untilMs'>;
  readonly read: Result<Read>;
}

/** Several values of a single payload split its interval evenly. null is "no limit", 0 is 0. */
function split(
  fromMs: number,
  untilMs: number,
  values: readonly unknown[],
  row: PayloadRow,
  context: ValueContext,
): Part[] {
  if (values.length === 0)
    return [{ span: { fromMs, untilMs }, read: refuse('SIGNAL_INVALID', 'payloads: no values') }];
  const step = (untilMs - fromMs) / values.length;
  return values.map((value, i) => ({
    span: { fromMs: Math.round(fromMs + i * step), untilMs: Math.round(fromMs + (i + 1) * step) },
    read: value === null && row.nullable ? ok({ value: null }) : row.read(value, context),
  }));
}
