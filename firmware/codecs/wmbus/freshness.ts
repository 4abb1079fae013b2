/**
 * Whether a telegram is new. Meters with a message counter (extended link layer, fragmentation layer) never send a
 * smaller one: such a telegram was recorded and sent again. Without a counter only the repetition of what was just
 * heard is told, from the access number and the bytes; a recording sent later cannot be told from the meter.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';
import type { ElapsedMs } from '../../domain/time.ts';
import type { ClearTelegram, MessageCounter } from './telegram.ts';

/** `leapt`: its counter is so far ahead that it is only believed once a second message says the same. */
export type Freshness = 'new' | 'repeated' | 'replayed' | 'leapt';

/** Repeaters, and meters that send each message several times, are through within this time. */
const REPEAT_MS = 300_000;
/**
 * The counter of an extended link layer is the meter's minutes with 16 sessions each, and only a checksum of 16 bits
 * proves it: whoever sends noise long enough hits it. So it may be ahead of the time that has passed by a day at most,
 * and a lucky hit locks the meter out no longer than that.
 */
const SESSIONS = 16;
const LEAP = 1440 * SESSIONS;
const MINUTE_MS = 60_000;
const KEPT = /^(\d{1,15})(?:\/([0-9a-f]{16}))?$/;

interface Heard {
  readonly atMs: ElapsedMs;
  readonly sum: string;
}

export class MessageMemory {
  /** The highest counter accepted; null before the first. */
  private counter: number | null = null;
  /** Of the message that had it: the same counter with another message is the same minute, not the same message. */
  private last = '';
  private recent: Heard[] = [];
  /** When a counter was last accepted; null since the start: nobody knows how long that was off. */
  private acceptedMs: ElapsedMs | null = null;
  /** A counter that leapt, for as long as no other message speaks against it. */
  private leapt: number | null = null;

  /** `kept` as it was kept over a restart. */
  constructor(kept: string | null = null) {
    const [, counter, last = ''] = KEPT.exec(kept ?? '') ?? [];
    if (counter === undefined) return;
    this.counter = Number(counter);
    this.last = last;
  }

  /** What a restart must not forget; null while there is nothing. */
  get kept(): string | null {
    return this.counter === null ? null : `${this.counter}/${this.last}`;
  }

  /** Judges and, if it is new, remembers. */
  judge(telegram: ClearTelegram, nowMs: ElapsedMs): Freshness {
    // A public key vouches for nothing.
    const counter = telegram.secured ? telegram.counter : null;
    if (counter && this.counter !== null && counter.value < this.counter) return 'replayed';
    this.recent = this.recent.filter((heard) => nowMs - heard.atMs < REPEAT_MS);
    const sum = sumOf(telegram);
    if (this.recent.some((heard) => heard.sum === sum)) return 'repeated';
    if (counter) {
      const digest = digestOf(sum);
      if (counter.value === this.counter && digest === this.last) return 'repeated';
      if (this.leaps(counter, nowMs)) return 'leapt';
      this.counter = counter.value;
      this.last = digest;
      this.acceptedMs = nowMs;
    }
    this.recent.push({ atMs: nowMs, sum });
    if (this.recent.length > LIMITS.wmbusRepeats) this.recent.shift();
    return 'new';
  }

  private leaps({ value, proof }: MessageCounter, nowMs: ElapsedMs): boolean {
    const before = this.leapt;
    this.leapt = null;
    if (proof === 'code' || this.counter === null || this.acceptedMs === null) return false;
    const bound = LEAP + ((nowMs - this.acceptedMs) / MINUTE_MS) * SESSIONS;
    if (value - this.counter <= bound) return false;
    if (before !== null && value > before && value - before <= bound) return false;
    this.leapt = value;
    return true;
  }
}

const digestOf = (sum: string): string =>
  createHash('sha256').update(sum, 'latin1').digest('hex').slice(0, 16);

/** What a repeater does not change: it sets bits of the link layer and makes other CRCs. */
const sumOf = ({ ci, accessNumber, counter, payload }: ClearTelegram): string =>
  `${ci}/${accessNumber}/${counter?.value}/${Buffer.from(payload).toString('latin1')}`;
