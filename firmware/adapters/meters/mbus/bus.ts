/**
 * One M-Bus line and its meters: one procedure at a time, whoever asks. The link is opened when there is something
 * to do and closed when there is nothing more, so that a converter is free for others in between.
 */
import {
  type ExchangeInput,
  type ExchangeState,
  type Line,
  newExchange,
  type Outcome,
  type Request,
  restMs,
  step,
} from '../../../codecs/mbus/exchange.ts';
import { type Fault, fault, faultOf, HearthError } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { LineSettings, Link } from '../../../domain/link.ts';
import { type Cancel, type Clock, sleep } from '../../../domain/time.ts';

/** A pure machine that asks one thing after the other: readout, search, scan. */
export interface Procedure<S extends object> {
  readonly start: S;
  /** Begins with outcome null; a request of null ends it. */
  step(state: S, outcome: Outcome | null): { readonly state: S; readonly request: Request | null };
  /** Called with each new state. */
  progress?(state: S): void;
}

export interface BusOptions {
  /** What converter, driver and network add to an answer; null for what is usual for the kind of link. */
  readonly latencyMs: number | null;
}

/** USB converters hand on what they have every 16 ms, and the machine may be busy. */
const SERIAL_LATENCY_MS = 60;
/** Converters on a network collect what belongs together, and radio bridges are slow. */
const NETWORK_LATENCY_MS = 250;

/** EN 13757-2, 5.3: 8 bits, even parity, one stop bit. */
export const lineSettings = (baudRate: number): LineSettings => ({
  baudRate,
  dataBits: 8,
  parity: 'even',
  stopBits: 1,
});

interface Job {
  run(): Promise<void>;
  refuse(reason: Fault): void;
}

export class MbusBus {
  private readonly link: Link;
  private readonly clock: Clock;
  private readonly options: BusOptions;
  private readonly jobs: Job[] = [];
  private users = 0;
  private busy = false;
  private isOpen = false;
  /** The speed that the open link was set to; null before. */
  private baudRate: number | null = null;
  private packets = false;
  private gone: Fault | null = null;
  private take: (input: ExchangeInput | null) => void = () => {};

  constructor(link: Link, clock: Clock, options: BusOptions) {
    this.link = link;
    this.clock = clock;
    this.options = options;
  }

  /**
   * Carries a procedure out to its end and gives its last state.
   * @throws HearthError LINK_REFUSED, LINK_GONE, LINK_BUSY (too much is waiting)
   */
  run<S extends object>(procedure: Procedure<S>, baudRate: number): Promise<S> {
    return new Promise((resolve, reject) => {
      const refuse = (reason: Fault): void => reject(new HearthError(reason.code, reason.message));
      if (this.jobs.length >= LIMITS.mbusQueue)
        return refuse(fault('LINK_BUSY', `${this.link.name}: too much is waiting`));
      this.jobs.push({ run: async () => resolve(await this.carryOut(procedure, baudRate)), refuse });
      void this.work();
    });
  }

  /** Whether the line can be set to another speed: a raw network stream cannot. Opens it. */
  async canChangeSpeed(baudRate: number): Promise<boolean> {
    await this.run({ start: {}, step: (state) => ({ state, request: null }) }, baudRate);
    return !this.packets;
  }

  /** A user more. */
  attach(): void {
    this.users += 1;
  }

  /** A user less; the last one closes it. */
  async detach(): Promise<void> {
    this.users -= 1;
    if (this.users <= 0) await this.close();
  }

  /** Gives up what is under way and what waits. Who asks again opens it again. */
  async close(): Promise<void> {
    const reason = fault('LINK_GONE', `${this.link.name}: closed`);
    for (const job of this.jobs.splice(0)) job.refuse(reason);
    this.lost(reason);
    await this.link.close().catch(() => {});
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let job = this.jobs.shift(); job; job = this.jobs.shift()) {
      await job.run().catch(async (error: unknown) => {
        job?.refuse(faultOf(error, 'LINK_GONE'));
        await this.hangUp();
      });
    }
    await this.hangUp();
    this.busy = false;
    if (this.jobs.length > 0) void this.work();
  }

  private async hangUp(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.baudRate = null;
    await this.link.close().catch(() => {});
  }

  private async carryOut<S extends object>(procedure: Procedure<S>, baudRate: number): Promise<S> {
    await this.tune(baudRate);
    let { state, request } = procedure.step(procedure.start, null);
    procedure.progress?.(state);
    while (request) {
      const outcome = await this.exchange(request, baudRate);
      ({ state, request } = procedure.step(state, outcome));
      procedure.progress?.(state);
    }
    return state;
  }

  /** Opens the link where it is not, and sets the speed. */
  private async tune(baudRate: number): Promise<void> {
    if (!this.isOpen) {
      this.gone = null;
      await this.link.open({
        bytes: (bytes) => this.take({ type: 'bytes', bytes }),
        gone: (reason) => this.lost(reason ?? fault('LINK_GONE', `${this.link.name}: closed`)),
      });
      this.isOpen = true;
    }
    if (this.baudRate === baudRate) return;
    this.packets = !(await this.link.configure(lineSettings(baudRate)));
    this.baudRate = baudRate;
    // A line that was just switched on or changed its speed has to settle.
    await sleep(this.clock, restMs(this.line(baudRate)));
  }

  private lost(reason: Fault): void {
    this.gone = reason;
    this.take(null);
  }

  private line(baudRate: number): Line {
    const usualMs = this.packets ? NETWORK_LATENCY_MS : SERIAL_LATENCY_MS;
    return { baudRate, latencyMs: this.options.latencyMs ?? usualMs, packets: this.packets };
  }

  /** One request: the runner of the exchange's effects. What comes between two requests is dropped. */
  private exchange(request: Request, baudRate: number): Promise<Outcome> {
    const line = this.line(baudRate);
    let state: ExchangeState = newExchange();
    let cancel: Cancel = () => {};
    return new Promise<Outcome>((resolve, reject) => {
      const fail = (error: unknown): void => reject(error);
      const take = (input: ExchangeInput | null): void => {
        if (!input || this.gone) {
          const reason = this.gone ?? fault('LINK_GONE');
          fail(new HearthError(reason.code, reason.message));
          return;
        }
        const { state: after, effects } = step(state, input, request, line);
        state = after;
        for (const effect of effects) {
          if (effect.do === 'send') this.link.write(effect.bytes).catch(fail);
          else {
            cancel();
            cancel = this.clock.after(effect.ms, () => take({ type: 'timeout' }));
          }
        }
        if (state.name === 'done') resolve(state.outcome);
      };
      this.take = take;
      take({ type: 'start' });
    }).finally(() => {
      cancel();
      this.take = () => {};
    });
  }
}
