/** Bytes that come without a good telegram among them: after a while they are judged, once, in one sentence. */
import type { Fault } from '../../domain/errors.ts';
import type { Cancel, Clock } from '../../domain/time.ts';
import { DIAGNOSED_BYTES, diagnose } from '../diagnosis.ts';

const FAULTS_KEPT = 16;

export class Refusals {
  private readonly clock: Clock;
  private readonly afterMs: number;
  private readonly tell: (diagnosis: Fault) => void;
  private held: Uint8Array[] = [];
  private length = 0;
  private faults: Fault[] = [];
  private cancel: Cancel | null = null;
  private judged = false;

  /** `tell` is called `afterMs` after the first byte behind the last good telegram. */
  constructor(clock: Clock, afterMs: number, tell: (diagnosis: Fault) => void) {
    this.clock = clock;
    this.afterMs = afterMs;
    this.tell = tell;
  }

  heard(chunk: Uint8Array): void {
    if (this.judged) return;
    this.cancel ??= this.clock.after(this.afterMs, () => this.judge());
    const wanted = chunk.subarray(0, DIAGNOSED_BYTES - this.length);
    if (wanted.length === 0) return;
    this.held.push(Uint8Array.from(wanted));
    this.length += wanted.length;
  }

  refused(reason: Fault): void {
    if (this.faults.length < FAULTS_KEPT) this.faults.push(reason);
  }

  /** Now; nothing when that was done before. */
  judge(): void {
    if (this.judged) return;
    this.judged = true;
    const diagnosis = diagnose(Buffer.concat(this.held), this.faults);
    this.held = [];
    this.length = 0;
    if (diagnosis) this.tell(diagnosis);
  }

  /** A good telegram came, or nothing comes any more. */
  clear(): void {
    this.cancel?.();
    this.cancel = null;
    this.judged = false;
    this.held = [];
    this.length = 0;
    this.faults = [];
  }
}
