/**
 * Finds out what hangs on a port: listens first, which disturbs nobody, and asks only when nothing comes by itself.
 * The port is closed after each step, whatever happened in it.
 */
import { type Fault, fault, faultOf, HearthError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/time.ts';
import { QUESTIONS, QUESTIONS_FIXED } from './ask.ts';
import type { ControlLines, ProbePort, ProbeReport, Progress } from './finding.ts';
import { listen } from './listen.ts';

export type { ControlLines, Finding, ProbePort, ProbeReport, Progress } from './finding.ts';

/** Opening a port raises both; some heads and P1 cables want one of them low. */
const OTHER_LINES: readonly ControlLines[] = [
  { dtr: true, rts: false },
  { dtr: false, rts: true },
];

/**
 * Rejects with LINK_BUSY or LINK_REFUSED when the port itself cannot be opened. `stop` ends it as soon as the meter's
 * port is free again: a talk is brought to its end.
 */
export async function probe(
  port: ProbePort,
  clock: Clock,
  progress: Progress,
  stop: AbortSignal = new AbortController().signal,
): Promise<ProbeReport> {
  const questions = port.canChangeSpeed ? QUESTIONS : QUESTIONS_FIXED;
  const others = port.canChangeSpeed ? OTHER_LINES : [];
  const steps = 1 + questions.length + others.length;
  const first = await listen(port, clock, undefined, (text) => progress(1, steps, text), stop);
  if (first.finding || first.heard) return first;
  let diagnosis: Fault | null = null;
  for (const [i, { text, ask }] of questions.entries()) {
    if (stop.aborted) break;
    progress(2 + i, steps, text);
    const asked = await ask(port, clock);
    if (asked.finding) return asked;
    diagnosis ??= asked.diagnosis;
  }
  for (const [i, lines] of others.entries()) {
    const state = `DTR ${lines.dtr ? 'high' : 'low'}, RTS ${lines.rts ? 'high' : 'low'}`;
    if (stop.aborted) break;
    const tell = (text: string): void => progress(2 + questions.length + i, steps, `${text}, ${state}`);
    const report = await withLines(port, clock, lines, tell, stop);
    if (report?.finding) return report;
    diagnosis ??= report?.diagnosis ?? null;
  }
  return { finding: null, diagnosis: diagnosis ?? NOTHING };
}

const NOTHING = fault(
  'TIMEOUT',
  'nothing comes and nothing answers: is the head on the window, the cable the right one, the port released at the grid operator or with its PIN?',
);

/** Null where the port has no control lines. */
async function withLines(
  port: ProbePort,
  clock: Clock,
  lines: ControlLines,
  tell: (text: string) => void,
  stop: AbortSignal,
): Promise<ProbeReport | null> {
  try {
    return await listen(port, clock, lines, tell, stop);
  } catch (error) {
    if (error instanceof HearthError && error.code === 'LINK_REFUSED') return null;
    const { code, message } = faultOf(error);
    throw new HearthError(code, message, error);
  }
}
