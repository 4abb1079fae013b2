/**
 * Asks the operator's power management over MQTT whether a large load may start, and remembers what it said. One
 * question for each device at a time; an answer to anything else is refused.
 */
import * as z from 'zod';
import type { AdmissionRequest, AdmissionState, Admissions } from '../domain/admission.ts';
import { type Fault, fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import type { Journal } from '../domain/storage.ts';
import type { Cancel, Clock, ElapsedMs, WallMs } from '../domain/time.ts';
import type { SignalTransport } from '../domain/transport.ts';
import { fits } from './topic.ts';

export interface AdmissionOptions {
  /** Who is asked, as the owner knows it. */
  readonly name: string;
  /** What the operator knows this home by. */
  readonly clientName: string;
  readonly requestTopic: string;
  /** A filter. */
  readonly answerTopic: string;
  readonly least_W: number;
  /** Without an answer for so long the load starts. */
  readonly waitMs: number;
}

export interface AdmissionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Pick<SignalTransport, 'publish'>;
  readonly journal: Journal;
  readonly changed: () => void;
}

const instant = z.iso.datetime({ offset: true });
const answerSchema = z.looseObject({
  id: z.string().min(1).max(64),
  verdict: z.enum(['GRANTED', 'LATER']),
  notBefore: instant.optional(),
});

interface Question {
  readonly id: string;
  readonly state: AdmissionState;
  /** The first of a row of questions that were all answered with "later". */
  readonly firstMs: ElapsedMs;
  /** Forgotten then: a load that starts after it asks anew. */
  readonly untilMs: ElapsedMs;
  /** Ends the wait for an answer. */
  readonly cancel: Cancel;
}

export class AdmissionDesk {
  private readonly options: AdmissionOptions;
  private readonly deps: AdmissionDeps;
  private readonly questions = new Map<string, Question>();

  constructor(options: AdmissionOptions, deps: AdmissionDeps) {
    this.options = options;
    this.deps = deps;
  }

  /** What is known now, for the image. */
  current(): Admissions {
    const now = this.deps.clock.elapsedMs();
    const byDevice: Record<string, AdmissionState> = {};
    for (const [device, { state, untilMs }] of this.questions) if (now < untilMs) byDevice[device] = state;
    const { name, least_W } = this.options;
    return { source: name, least_W, byDevice };
  }

  ask(request: AdmissionRequest): void {
    const { clock, random, transport } = this.deps;
    const { waitMs, requestTopic, clientName } = this.options;
    const now = clock.elapsedMs();
    const before = this.questions.get(request.device);
    const again = before?.state.kind === 'later' && now < before.untilMs + LIMITS.admissionValidMs;
    const firstMs = again ? before.firstMs : now;
    const id = Buffer.from(random.bytes(12)).toString('base64url');
    const state: AdmissionState = { kind: 'asked', untilMs: clock.wallMs() + waitMs };
    const cancel = clock.after(waitMs, () => this.giveUp(request.device, id));
    this.questions.set(request.device, { id, state, firstMs, untilMs: Number.POSITIVE_INFINITY, cancel });
    const body = Buffer.from(JSON.stringify(requestOf(request, id, clientName, clock.wallMs())));
    transport.publish(requestTopic, body, waitMs).catch(() => {
      // Nobody was reached: the wait ends by itself.
    });
  }

  close(): void {
    for (const { cancel } of this.questions.values()) cancel();
  }

  /** Whether the message was of the answers' topic; a wrong one is journalled. */
  take(topic: string, bytes: Uint8Array): boolean {
    if (!fits(this.options.answerTopic, topic)) return false;
    const reason = this.answered(bytes);
    if (reason) this.record(null, reason.code, { message: reason.message }, 'rejected');
    return true;
  }

  private answered(bytes: Uint8Array): Fault | null {
    const { clock } = this.deps;
    const parsed = answerSchema.safeParse(jsonOf(bytes));
    if (!parsed.success) return fault('SIGNAL_INVALID', 'no answer to a request for admission');
    const { id, verdict, notBefore } = parsed.data;
    const found = [...this.questions].find(([, q]) => q.id === id && q.state.kind === 'asked');
    if (!found) return fault('SIGNAL_STALE', 'an answer to a request that is not open');
    const [device, question] = found;
    if (verdict === 'GRANTED') {
      this.settle(device, question, { kind: 'granted' }, LIMITS.admissionValidMs);
      return null;
    }
    const now = clock.elapsedMs();
    const leftMs = question.firstMs + LIMITS.admissionLaterMs - now;
    const wantedMs =
      notBefore === undefined ? LIMITS.admissionAgainMs : Date.parse(notBefore) - clock.wallMs();
    const waitMs = Math.max(0, Math.min(wantedMs, leftMs));
    // It has waited as long as a courtesy may last.
    if (leftMs <= 0) this.settle(device, question, { kind: 'granted' }, LIMITS.admissionValidMs);
    else this.settle(device, question, { kind: 'later', notBeforeMs: clock.wallMs() + waitMs }, waitMs);
    return null;
  }

  private giveUp(device: string, id: string): void {
    const question = this.questions.get(device);
    if (question?.id !== id || question.state.kind !== 'asked') return;
    this.settle(device, question, { kind: 'unanswered' }, LIMITS.admissionValidMs);
  }

  private settle(device: string, question: Question, state: AdmissionState, validMs: number): void {
    const { clock, changed } = this.deps;
    question.cancel();
    // When the time of a "later" has come it is decided at once, and asked again.
    const cancel = state.kind === 'later' ? clock.after(validMs, changed) : question.cancel;
    this.questions.set(device, { ...question, state, untilMs: clock.elapsedMs() + validMs, cancel });
    // That it was asked or is held is the decision's to say.
    if (state.kind === 'granted') this.record(device, 'ADMISSION_GRANTED');
    if (state.kind === 'unanswered') this.record(device, 'ADMISSION_UNANSWERED');
    changed();
  }

  private record(
    subject: string | null,
    code: string,
    detail: Readonly<Record<string, unknown>> = {},
    kind: 'decision' | 'rejected' = 'decision',
  ): void {
    const values = { ...detail, source: this.options.name };
    this.deps.journal.record({ atMs: this.deps.clock.wallMs(), kind, subject, code, detail: values });
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(0, LIMITS.admissionMessage_bytes)));
  } catch {
    return null;
  }
}

/** Power in kW and energy in kWh, as everything that goes to an operator. */
function requestOf(
  { device, power_W, energy_Wh, priority, latestStartMs }: AdmissionRequest,
  id: string,
  clientName: string,
  nowMs: WallMs,
) {
  return {
    objectType: 'ADMISSION_REQUEST',
    id,
    clientName,
    resourceName: device,
    power: power_W / 1000,
    energy: energy_Wh === null ? null : energy_Wh / 1000,
    priority,
    start: new Date(nowMs).toISOString(),
    latestStart: latestStartMs === null ? null : new Date(latestStartMs).toISOString(),
  };
}
