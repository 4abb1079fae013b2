/** A meter that is asked (IEC 62056-21 modes A, B, C): a dialogue every interval, with back-off when it fails. */

import { ReadoutDecoder, readReadout } from '../../codecs/iec62056-21/index.ts';
import {
  newSession,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  SIGN_ON,
  step,
} from '../../codecs/iec62056-21/session.ts';
import { type Fault, fault, faultOf } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Link } from '../../domain/link.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../domain/resource-manager.ts';
import { type Cancel, type Clock, sleep } from '../../domain/time.ts';
import { measurementsOf } from './measurements.ts';

export interface PolledOptions {
  readonly id: string;
  readonly address: string;
  /** From the start of one readout to the start of the next. */
  readonly intervalMs: number;
}

export class PolledMeter implements ResourceManager {
  readonly id: string;
  private readonly options: PolledOptions;
  private readonly link: Link;
  private readonly clock: Clock;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private next: Cancel = () => {};
  private failures = 0;
  /** After a readout that stayed away at the offered speed the meter is asked to stay at 300 baud. */
  private stayAt300 = false;

  constructor(options: PolledOptions, link: Link, clock: Clock) {
    this.id = options.id;
    this.options = options;
    this.link = link;
    this.clock = clock;
  }

  open(events: ResourceEvents): void {
    this.events = events;
    void this.cycle();
  }

  /** A meter takes no instruction. */
  instruct(): void {}

  async close(): Promise<void> {
    this.events = null;
    this.next();
    await this.link.close();
  }

  private async cycle(): Promise<void> {
    const startedMs = this.clock.elapsedMs();
    const reason = await this.readout().catch((error: unknown) => faultOf(error, 'LINK_GONE'));
    await this.link.close().catch(() => {});
    if (!this.events) return;
    if (reason) this.failed(reason);
    else {
      this.failures = 0;
      this.setHealth('ok', null);
    }
    const backoffMs = Math.min(
      LIMITS.linkBackoffMinMs * 2 ** Math.min(this.failures, 6),
      LIMITS.linkBackoffMaxMs,
    );
    const dueMs = reason
      ? backoffMs
      : Math.max(0, this.options.intervalMs - (this.clock.elapsedMs() - startedMs));
    this.next = this.clock.after(dueMs, () => void this.cycle());
  }

  private failed(reason: Fault): void {
    this.failures += 1;
    this.events?.fault(reason);
    if (this.failures >= 2) this.setHealth('silent', reason);
    // A meter may offer a speed and stay at 300: what comes then is noise, or seems to be silence.
    if (reason.code !== 'LINK_REFUSED' && reason.code !== 'LINK_BUSY')
      this.stayAt300 = this.failures % 2 === 1;
  }

  /** One dialogue; null when it went well. The runner of the machine's effects. */
  private async readout(): Promise<Fault | null> {
    const inbox: SessionInput[] = [];
    let wake: () => void = () => {};
    const put = (input: SessionInput): void => {
      inbox.push(input);
      wake();
    };
    let gone: Fault | null = null;
    await this.link.open({
      bytes: (bytes) => put({ type: 'bytes', bytes }),
      gone: (reason) => {
        gone = reason ?? fault('LINK_GONE');
        wake();
      },
    });
    const canChangeSpeed = await this.link.configure(SIGN_ON);
    const options = { address: this.options.address, canChangeSpeed, stayAt300: this.stayAt300 };
    const decoder = new ReadoutDecoder({ parity: 'none', bccRequired: true });
    let state: SessionState = newSession();
    let cancelTimeout: Cancel = () => {};
    inbox.push({ type: 'start' });
    while (state.name !== 'done' && state.name !== 'failed') {
      const input = inbox.shift();
      if (!input) {
        if (gone) return gone;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const { state: after, effects }: ReturnType<typeof step> = step(state, input, options);
      state = after;
      for (const effect of effects) {
        if (effect.do === 'await') {
          cancelTimeout();
          cancelTimeout = this.clock.after(effect.ms, () => put({ type: 'timeout' }));
        } else await this.carryOut(effect, decoder, put);
      }
    }
    cancelTimeout();
    return state.name === 'failed' ? state.reason : null;
  }

  private async carryOut(
    effect: Exclude<SessionEffect, { do: 'await' }>,
    decoder: ReadoutDecoder,
    put: (input: SessionInput) => void,
  ): Promise<void> {
    if (effect.do === 'configure') await this.link.configure(effect.line);
    else if (effect.do === 'pause') await sleep(this.clock, effect.ms);
    else if (effect.do === 'send') await this.link.write(effect.bytes);
    else {
      for (const decoded of decoder.push(Uint8Array.from(effect.bytes, (b) => b & 0x7f))) {
        const telegram = decoded.ok ? readReadout(decoded.frame) : decoded;
        if (telegram.ok) {
          const received = {
            source: this.id,
            wallMs: this.clock.wallMs(),
            elapsedMs: this.clock.elapsedMs(),
          };
          this.events?.measured(measurementsOf(telegram.value, received));
        }
        put({ type: 'frame', reason: telegram.ok ? null : telegram.error });
      }
    }
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
