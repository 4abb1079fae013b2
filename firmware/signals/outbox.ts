/** What waits for the broker: bounded, oldest first, sent again when the link broke before it was acknowledged. */
import { HearthError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Clock, ElapsedMs } from '../domain/time.ts';

interface Letter {
  readonly topic: string;
  readonly bytes: Buffer;
  /** Not sent after this. */
  readonly untilMs: ElapsedMs;
  readonly done: () => void;
  readonly failed: (error: HearthError) => void;
  sent: boolean;
}

/** Hands one message to the broker and says later whether it has it. */
export type Send = (topic: string, bytes: Buffer, acknowledged: (error?: unknown) => void) => void;

export class Outbox {
  private readonly clock: Clock;
  private letters: Letter[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(topic: string, bytes: Uint8Array, keepMs: number): Promise<void> {
    this.forgetLate();
    return new Promise((resolve, reject) => {
      if (this.letters.length >= LIMITS.mqttQueue) {
        reject(new HearthError('LINK_GONE', 'too many messages wait for the broker'));
        return;
      }
      const untilMs = this.clock.elapsedMs() + keepMs;
      this.letters.push({
        topic,
        bytes: Buffer.from(bytes),
        untilMs,
        done: resolve,
        failed: reject,
        sent: false,
      });
    });
  }

  /** Sends what is not on its way yet, as far as the broker may be asked to hold. */
  send(send: Send): void {
    this.forgetLate();
    for (const letter of this.letters.slice(0, LIMITS.mqttInFlight)) {
      if (letter.sent) continue;
      letter.sent = true;
      send(letter.topic, letter.bytes, (error) => {
        if (error) {
          letter.sent = false;
          return;
        }
        this.letters = this.letters.filter((l) => l !== letter);
        letter.done();
        this.send(send);
      });
    }
  }

  /** The link broke: nobody knows whether what was sent has arrived, so it is sent again. */
  again(): void {
    for (const letter of this.letters) letter.sent = false;
  }

  close(): void {
    for (const letter of this.letters) letter.failed(new HearthError('LINK_GONE'));
    this.letters = [];
  }

  private forgetLate(): void {
    const now = this.clock.elapsedMs();
    for (const letter of this.letters.filter((l) => !l.sent && l.untilMs < now)) {
      this.letters = this.letters.filter((l) => l !== letter);
      letter.failed(new HearthError('TIMEOUT'));
    }
  }
}
