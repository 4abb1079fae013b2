/** A meter that sends by itself (P1, mode D, SML, DLMS): bytes → telegrams → measurements. */
import { type Fault, fault, type Result } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../domain/resource-manager.ts';
import type { Decoder, Telegram } from '../../domain/telegram.ts';
import type { Clock } from '../../domain/time.ts';
import { LinkKeeper } from './keeper.ts';
import { measurementsOf, type Received } from './measurements.ts';
import { Refusals } from './refusals.ts';
import type { Ciphered, ReplayGuard } from './replay-guard.ts';
import type { Sense } from './sense.ts';

export interface PushProtocol<F> {
  readonly decoder: () => Decoder<F>;
  readonly read: (frame: F) => Result<Telegram>;
  /** A meter that was quiet for longer has hung. */
  readonly silenceMs: number;
  /** What a telegram means beyond its registers; absent is the registers alone. */
  readonly sense?: (telegram: Telegram, received: Received) => Sense;
  /** For a meter with a key: nothing in clear is taken from it, and no message twice. */
  readonly guarded?: { readonly cipher: (frame: F) => Ciphered | null; readonly guard: ReplayGuard };
}

export class PushMeter<F> implements ResourceManager {
  readonly id: string;
  private readonly protocol: PushProtocol<F>;
  private readonly clock: Clock;
  private readonly keeper: LinkKeeper;
  private decoder: Decoder<F>;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private readonly refusals: Refusals;

  constructor(id: string, protocol: PushProtocol<F>, link: Link, clock: Clock) {
    this.id = id;
    this.protocol = protocol;
    this.clock = clock;
    this.decoder = protocol.decoder();
    this.refusals = new Refusals(clock, protocol.silenceMs, (diagnosis) => {
      this.events?.fault(diagnosis);
      this.setHealth('faulty', diagnosis);
    });
    this.keeper = new LinkKeeper(link, clock, protocol.silenceMs, {
      bytes: (chunk) => this.take(chunk),
      opened: () => {
        this.decoder = protocol.decoder();
      },
      lost: (reason) => {
        for (const decoded of this.decoder.end()) if (!decoded.ok) this.events?.fault(decoded.error);
        this.events?.fault(reason);
        // What was heard says more than that it was none.
        if (reason.code === 'NO_TELEGRAM') {
          this.refusals.judge();
          return;
        }
        this.refusals.clear();
        this.setHealth('silent', reason);
      },
    });
  }

  open(events: ResourceEvents): void {
    this.events = events;
    this.keeper.start();
  }

  /** A meter takes no instruction. */
  instruct(): void {}

  async close(): Promise<void> {
    await this.keeper.stop();
    this.refusals.clear();
    this.protocol.guarded?.guard.close();
    this.events = null;
  }

  private take(chunk: Uint8Array): void {
    this.refusals.heard(chunk);
    for (const decoded of this.decoder.push(chunk)) {
      const result = decoded.ok ? this.protocol.read(decoded.frame) : decoded;
      const refused = result.ok ? decoded.ok && this.refuses(decoded.frame) : result.error;
      if (refused) {
        this.events?.fault(refused);
        this.refusals.refused(refused);
      } else if (result.ok) this.telegram(result.value);
    }
  }

  /** A telegram that was read: in clear although there is a key, or an old one sent again. */
  private refuses(frame: F): Fault | null {
    const { guarded } = this.protocol;
    if (!guarded) return null;
    const ciphered = guarded.cipher(frame);
    return ciphered ? guarded.guard.check(ciphered) : fault('NOT_ENCRYPTED');
  }

  private telegram(telegram: Telegram): void {
    this.keeper.good();
    this.refusals.clear();
    this.setHealth('ok', null);
    const received = { source: this.id, wallMs: this.clock.wallMs(), elapsedMs: this.clock.elapsedMs() };
    const sensed = this.protocol.sense?.(telegram, received);
    this.events?.measured(sensed?.measurements ?? measurementsOf(telegram, received));
    if (sensed?.history?.length) this.events?.history?.(sensed.history);
    for (const event of sensed?.events ?? []) this.events?.noted?.(event);
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
