/** One association over an open line: asks, counts messages on both sides, and fails with a coded error. */
import {
  type Answer,
  type Asked,
  asking,
  closing,
  failureOf,
  opening,
  type SessionOptions,
  type SessionState,
  takesLists,
} from '../../../codecs/dlms/index.ts';
import type { Exchange, Step } from '../../../codecs/exchange.ts';
import { SECURITY_CONTROL } from '../../../codecs/security/gcm.ts';
import { type Fault, HearthError } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { Dialogue } from '../dialogue.ts';
import type { ReplayGuard } from '../replay-guard.ts';
import type { InvocationCounter } from './invocation-counter.ts';

interface TalkEvents {
  /** A message was dropped. */
  dropped(reason: Fault): void;
  /** The meter's port is free again. */
  closed(): void;
}

/** Counters of a ciphered dialogue, ours and the meter's. */
export interface Counters {
  readonly own: InvocationCounter;
  readonly meter: ReplayGuard;
}

export class DlmsTalk {
  private readonly dialogue: Dialogue;
  private readonly options: SessionOptions;
  private readonly counters: Counters | null;
  private readonly events: TalkEvents;
  private state: SessionState | null = null;

  private constructor(
    dialogue: Dialogue,
    options: SessionOptions,
    counters: Counters | null,
    events: TalkEvents,
  ) {
    this.dialogue = dialogue;
    this.options = options;
    this.counters = counters;
    this.events = events;
  }

  /** Rejects with why the meter cannot be talked to; the line below is closed again as far as it was opened. */
  static async open(
    dialogue: Dialogue,
    options: SessionOptions,
    counters: Counters | null,
    events: TalkEvents,
  ): Promise<DlmsTalk> {
    const talk = new DlmsTalk(dialogue, options, counters, events);
    try {
      await talk.run(() => opening(options, counters?.own.next ?? 0));
    } catch (error) {
      await talk.close();
      throw error;
    }
    return talk;
  }

  /** What was negotiated; null before the association stands. */
  get session(): SessionState | null {
    return this.state;
  }

  /** One answer for each, in lists where the meter takes them. */
  async ask(asked: readonly Asked[]): Promise<readonly Answer[]> {
    const size = this.listSize();
    const answers: Answer[] = [];
    for (let at = 0; at < asked.length; at += size) {
      const part = asked.slice(at, at + size);
      const { answers: given } = await this.run((state) => asking(this.options, state, part));
      answers.push(...(given ?? []));
    }
    return answers;
  }

  async one(asked: Asked): Promise<Answer> {
    const [answer] = await this.ask([asked]);
    return answer ?? { ok: false, error: 'other-reason' };
  }

  /** Releases the association and closes the HDLC link, so that the meter's port is free at once. Never rejects. */
  async close(): Promise<void> {
    const { state } = this;
    if (!state || state.carrier.name === 'failed') return;
    await this.dialogue.run(this.noting(closing(this.options, state))).then(
      () => this.events.closed(),
      () => {},
    );
  }

  /** A request has to fit what the meter takes: eleven bytes an attribute, and what ciphering adds. */
  private listSize(): number {
    const client = this.state?.client;
    if (!client || !takesLists(client)) return 1;
    const fits = Math.floor((client.negotiated.maxPdu_bytes - 40) / 11);
    return Math.max(1, Math.min(LIMITS.dlmsList, fits));
  }

  private async run(exchangeOf: (state: SessionState) => Exchange<SessionState>): Promise<SessionState> {
    const refused = this.counters?.own.reserve();
    if (refused) throw new HearthError(refused.code, refused.message);
    const state = await this.dialogue.run(this.noting(exchangeOf(this.before())));
    for (const reason of state.dropped) this.events.dropped(reason);
    const failure = failureOf(state);
    if (failure) throw new HearthError(failure.code, failure.message);
    return state;
  }

  /** What the next exchange begins with, above all counters that were ever sent. */
  private before(): SessionState {
    const state = this.state ?? opening(this.options, 0).start().state;
    const counter = this.counters?.own.next ?? state.client.counter;
    return { ...state, client: { ...state.client, counter } };
  }

  /** Each step is noted as it is made: a counter that was sent is used even if the line breaks the moment after. */
  private noting(exchange: Exchange<SessionState>): Exchange<SessionState> {
    const note = (step: Step<SessionState>): Step<SessionState> => {
      this.state = step.state;
      this.count(step.state);
      return step;
    };
    return {
      start: () => note(exchange.start()),
      step: (state, input) => note(exchange.step(state, input)),
      over: exchange.over,
    };
  }

  private count({ client }: SessionState): void {
    if (!this.counters) return;
    const { own, meter } = this.counters;
    // A counter that the meter named in clear is believed once the meter has answered to it.
    const refused = client.corrected ? own.takeOnHearsay(client.counter - 1) : own.advance(client.counter);
    if (refused) throw new HearthError(refused.code, refused.message);
    const { meterTitle: systemTitle, meterCounter: counter } = client;
    const authenticated =
      ((this.options.client.security?.control ?? 0) & SECURITY_CONTROL.authenticated) !== 0;
    if (systemTitle.length === 8 && counter > meter.lastOf(systemTitle))
      meter.check({ systemTitle, counter, authenticated });
  }
}
