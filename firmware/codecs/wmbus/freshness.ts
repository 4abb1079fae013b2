/**
 * Whether a telegram is new. Meters with a message counter (extended link layer, fragmentation layer) never send a
 * smaller one: such a telegram was recorded and sent again. Without a counter only the repetition of what was just
 * heard is told, from the access number and the bytes; a recording sent later cannot be told from the meter.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';
import type { ElapsedMs } from '../../domain/time.ts';
import type { ClearTelegram } from './telegram.ts';

export type Freshness = 'new' | 'repeated' | 'replayed';

/** Repeaters, and meters that send each message several times, are through within this time. */
const REPEAT_MS = 300_000;
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
    // A counter that no key vouches for could be anybody's.
    const counter = telegram.secured ? telegram.counter : null;
    if (counter !== null && this.counter !== null && counter < this.counter) return 'replayed';
    this.recent = this.recent.filter((heard) => nowMs - heard.atMs < REPEAT_MS);
    const sum = sumOf(telegram);
    if (this.recent.some((heard) => heard.sum === sum)) return 'repeated';
    if (counter !== null) {
      const digest = digestOf(sum);
      if (counter === this.counter && digest === this.last) return 'repeated';
      this.counter = counter;
      this.last = digest;
    }
    this.recent.push({ atMs: nowMs, sum });
    if (this.recent.length > LIMITS.wmbusRepeats) this.recent.shift();
    return 'new';
  }
}

const digestOf = (sum: string): string =>
  createHash('sha256').update(sum, 'latin1').digest('hex').slice(0, 16);

/** What a repeater does not change: it sets bits of the link layer and makes other CRCs. */
const sumOf = ({ ci, accessNumber, counter, payload }: ClearTelegram): string =>
  `${ci}/${accessNumber}/${counter}/${Buffer.from(payload).toString('latin1')}`;
