/** Whether what an owner asks of a device can be asked of it. */
import { type Fault, fault } from '../domain/errors.ts';
import type { DeviceImage } from '../domain/image.ts';
import { LIMITS } from '../domain/limits.ts';
import type { WallMs } from '../domain/time.ts';
import type { OverrideForm } from './schema-device.ts';

/**
 * Null where it can. A run that can no longer be done in time is taken all the same: it runs as soon as it may.
 *
 * @param device undefined: it has not told yet what it can do
 * @returns FORM_INVALID for a time that is over or too far ahead, INSTRUCTION_REJECTED for what the device cannot do,
 *   NOT_FOUND for a run of a device that has not told of any
 */
export function overrideFault(
  form: OverrideForm,
  device: DeviceImage | undefined,
  nowMs: WallMs,
): Fault | null {
  const atMs = timeOf(form);
  if (atMs !== null && (atMs <= nowMs || atMs > nowMs + LIMITS.overrideAheadMs)) {
    return fault('FORM_INVALID', 'the time must lie ahead, by at most 7 days');
  }
  if (device === undefined) return form.kind === 'runBy' ? fault('NOT_FOUND', UNHEARD) : null;
  const why =
    device.flexibility.program === undefined ? withoutProgram(form) : withProgram(form, device, nowMs);
  return why === null ? null : fault('INSTRUCTION_REJECTED', why);
}

const UNHEARD = 'there is no such device, or it has not told yet what it can do';

function timeOf(form: OverrideForm): WallMs | null {
  switch (form.kind) {
    case 'now':
      return form.untilMs;
    case 'notBefore':
      return form.atMs;
    case 'runBy':
      return form.byMs;
    default:
      return null;
  }
}

const withoutProgram = ({ kind }: OverrideForm): string | null =>
  kind === 'runBy' ? 'it has no program that could be done by a time' : null;

function withProgram(form: OverrideForm, { run }: DeviceImage, nowMs: WallMs): string | null {
  if (form.kind === 'notBefore') return 'it runs a program: say by when it has to be done';
  const isRunning = run !== undefined && run.doneMs !== null;
  const asksForRun = form.kind === 'now' || form.kind === 'runBy';
  if (isRunning && asksForRun) return 'its program has begun and runs to its end';
  const isTooLong =
    form.kind === 'now' && form.untilMs !== null && form.untilMs > nowMs + LIMITS.programSettingMs;
  return isTooLong ? 'it has power for setting its program for an hour at most' : null;
}
