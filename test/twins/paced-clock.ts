/**
 * Time for a twin on a real byte stream: it stands still while bytes are on their way, and jumps to the next timer as
 * soon as all have arrived. A search with hundreds of time-outs over TCP then takes as long as its bytes take.
 */
import type { Link } from '../../firmware/domain/link.ts';
import type { Clock } from '../../firmware/domain/time.ts';

interface Timer {
  readonly atMs: number;
  task: (() => void) | null;
}

/** So many turns of the event loop without a byte on the way: whoever had something to do has done it. */
const CALM_TURNS = 4;

export class PacedClock implements Clock {
  /** Bytes that were written and have not arrived yet. */
  private underway = 0;
  private nowMs = 0;
  private readonly startWallMs: number;
  private timers: Timer[] = [];
  private calm = 0;
  private turning = false;

  constructor(startWallMs: number) {
    this.startWallMs = startWallMs;
  }

  wallMs(): number {
    return this.startWallMs + Math.floor(this.nowMs);
  }

  elapsedMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer: Timer = { atMs: this.nowMs + Math.max(0, delayMs), task };
    this.timers.push(timer);
    if (!this.turning) setImmediate(() => this.turn());
    this.turning = true;
    return () => {
      timer.task = null;
    };
  }

  /** Both ends say what they have written and what has arrived. */
  wrote(bytes: Uint8Array): void {
    this.underway += bytes.length;
  }

  arrived(bytes: Uint8Array): void {
    this.underway = Math.max(0, this.underway - bytes.length);
  }

  /** The link, with its bytes counted. What is on its way when it is closed never arrives. */
  counting(link: Link): Link {
    return {
      ...link,
      open: (events) =>
        link.open({
          ...events,
          bytes: (chunk, atMs) => {
            this.arrived(chunk);
            events.bytes(chunk, atMs);
          },
        }),
      write: (bytes) => {
        this.wrote(bytes);
        return link.write(bytes);
      },
      close: async () => {
        await link.close();
        this.underway = 0;
      },
    };
  }

  private turn(): void {
    this.timers = this.timers.filter((timer) => timer.task);
    this.calm = this.underway === 0 ? this.calm + 1 : 0;
    if (this.calm >= CALM_TURNS) {
      const next = this.timers.reduce<Timer | null>((a, b) => (a && a.atMs <= b.atMs ? a : b), null);
      this.calm = 0;
      if (next) {
        this.nowMs = Math.max(this.nowMs, next.atMs);
        next.task?.();
        next.task = null;
      }
    }
    this.turning = this.timers.some((timer) => timer.task);
    if (this.turning) setImmediate(() => this.turn());
  }
}
