/** Runs exchanges over one open link, one after the other: bytes and time-outs in, effects out on the line. */
import type { Exchange, ExchangeEffect, ExchangeInput } from '../../codecs/exchange.ts';
import { type Fault, fault, HearthError } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { LineSettings, Link } from '../../domain/link.ts';
import { type Cancel, type Clock, sleep } from '../../domain/time.ts';

const BITS_PER_CHARACTER = 10;

export class Dialogue {
  private readonly link: Link;
  private readonly clock: Clock;
  private inbox: ExchangeInput[] = [];
  private waiting_bytes = 0;
  private wake: () => void = () => {};
  private gone: Fault | null = null;
  private cancelTimeout: Cancel = () => {};
  private baudRate: number | null = null;

  private constructor(link: Link, clock: Clock) {
    this.link = link;
    this.clock = clock;
  }

  /** Rejects with the link's own refusal. */
  static async open(link: Link, clock: Clock): Promise<Dialogue> {
    const dialogue = new Dialogue(link, clock);
    await link.open({
      bytes: (bytes) => dialogue.hear(bytes),
      gone: (reason) => {
        dialogue.gone = reason ?? fault('LINK_GONE', `${link.name}: closed`);
        dialogue.wake();
      },
    });
    return dialogue;
  }

  /** Runs to the end of the exchange. Rejects with LINK_GONE when the link ends before. */
  async run<S>(exchange: Exchange<S>): Promise<S> {
    let { state, effects } = exchange.start();
    try {
      for (;;) {
        for (const effect of effects) await this.carryOut(effect);
        if (exchange.over(state)) return state;
        ({ state, effects } = exchange.step(state, await this.next()));
      }
    } finally {
      this.cancelTimeout();
    }
  }

  /** Sets the line before an exchange; false when the link cannot change its speed. */
  async setLine(line: LineSettings): Promise<boolean> {
    const can = await this.link.configure(line);
    if (can) this.baudRate = line.baudRate;
    return can;
  }

  async close(): Promise<void> {
    this.cancelTimeout();
    await this.link.close();
  }

  private put(input: ExchangeInput): void {
    this.inbox.push(input);
    this.wake();
  }

  /** What is beyond the bound is lost, as on any line: the exchange asks again. */
  private hear(bytes: Uint8Array): void {
    if (this.waiting_bytes + bytes.length > LIMITS.dialogueWaiting_bytes) return;
    this.waiting_bytes += bytes.length;
    this.put({ type: 'bytes', bytes });
  }

  private async next(): Promise<ExchangeInput> {
    for (;;) {
      const input = this.inbox.shift();
      if (input?.type === 'bytes') this.waiting_bytes -= input.bytes.length;
      if (input) return input;
      if (this.gone) throw new HearthError(this.gone.code, this.gone.message);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private async carryOut(effect: ExchangeEffect): Promise<void> {
    if (effect.do === 'send') await this.send(effect.bytes);
    else if (effect.do === 'pause') await sleep(this.clock, effect.ms);
    else if (effect.do === 'await') {
      this.cancelTimeout();
      // A time-out that was already waiting belongs to the await before.
      this.inbox = this.inbox.filter((input) => input.type !== 'timeout');
      this.cancelTimeout = this.clock.after(effect.ms, () => this.put({ type: 'timeout' }));
    } else await this.setLine(effect.line);
  }

  /** USB converters report bytes as sent that still wait in their buffer: the line's own time is waited out. */
  private async send(bytes: Uint8Array): Promise<void> {
    const startedMs = this.clock.elapsedMs();
    await this.link.write(bytes);
    if (this.baudRate === null) return;
    const lineMs = (bytes.length * BITS_PER_CHARACTER * 1000) / this.baudRate;
    const leftMs = lineMs - (this.clock.elapsedMs() - startedMs);
    if (leftMs > 0) await sleep(this.clock, leftMs);
  }
}
