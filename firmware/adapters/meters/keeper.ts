/** Keeps a link open: opens it, notices when it is gone or silent, and tries again with back-off. */
import { type Fault, fault, faultOf } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Link } from '../../domain/link.ts';
import type { Cancel, Clock, ElapsedMs } from '../../domain/time.ts';

interface KeeperEvents {
  bytes(chunk: Uint8Array, atMs: ElapsedMs): void;
  /** The link is open. */
  opened(): void;
  /** It is not; or nothing came for too long (TIMEOUT), or nothing good among what came (NO_TELEGRAM). */
  lost(reason: Fault): void;
}

/**
 * The link's own report of its end cannot be relied on: so long without a good telegram makes it be opened anew, also
 * where bytes come that are none. Infinity: a meter may be silent for ever.
 */
export class LinkKeeper {
  private readonly link: Link;
  private readonly clock: Clock;
  private readonly silenceMs: number;
  private readonly events: KeeperEvents;
  private backoffMs: number = LIMITS.linkBackoffMinMs;
  private cancelRetry: Cancel = () => {};
  private cancelSilence: Cancel = () => {};
  /** Bytes came since the last good telegram. */
  private heard = false;
  private closed = false;

  constructor(link: Link, clock: Clock, silenceMs: number, events: KeeperEvents) {
    this.link = link;
    this.clock = clock;
    this.silenceMs = silenceMs;
    this.events = events;
  }

  start(): void {
    if (this.closed) return;
    this.link
      .open({
        bytes: (chunk, atMs) => {
          this.heard = true;
          this.events.bytes(chunk, atMs);
        },
        gone: (reason) => {
          if (reason) this.again(reason);
        },
      })
      .then(
        () => {
          this.watch();
          this.events.opened();
        },
        (error: unknown) => this.again(faultOf(error, 'LINK_REFUSED')),
      );
  }

  /** Called for each good telegram: the next failure begins with a short wait again. */
  good(): void {
    this.backoffMs = LIMITS.linkBackoffMinMs;
    this.watch();
  }

  /** What came was the other end's answer to us: it is there, and no meter was heard. */
  answered(): void {
    this.heard = false;
  }

  async stop(): Promise<void> {
    this.closed = true;
    this.cancelRetry();
    this.cancelSilence();
    await this.link.close();
  }

  private watch(): void {
    this.cancelSilence();
    this.heard = false;
    if (this.closed || this.silenceMs === Infinity) return;
    this.cancelSilence = this.clock.after(this.silenceMs, () => {
      const forText = `for ${Math.round(this.silenceMs / 1000)} s`;
      const reason = this.heard
        ? fault('NO_TELEGRAM', `bytes came and no good telegram ${forText}`)
        : fault('TIMEOUT', `nothing came ${forText}`);
      void this.link.close().finally(() => this.again(reason));
    });
  }

  private again(reason: Fault): void {
    this.cancelSilence();
    if (this.closed) return;
    this.events.lost(reason);
    this.cancelRetry();
    this.cancelRetry = this.clock.after(this.backoffMs, () => this.start());
    this.backoffMs = Math.min(this.backoffMs * 2, LIMITS.linkBackoffMaxMs);
  }
}
