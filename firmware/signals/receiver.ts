/** Joins transport, envelope, dialect and book. What a message changes takes effect first and is written down after. */
import type { Fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import type { Signal } from '../domain/signal.ts';
import type { Journal, Settings, SignalStore } from '../domain/storage.ts';
import { type Clock, isWallPlausible } from '../domain/time.ts';
import type { SignalTransport } from '../domain/transport.ts';
import { SignalBook } from './book.ts';
import { type EnvelopePolicy, openEnvelope } from './envelope.ts';
import { type Failsafe, failsafeSignal } from './failsafe.ts';
import { type ProgramSetting, readOpenAdr3 } from './openadr3.ts';

export interface ReceiverDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly store: SignalStore;
  readonly settings: Settings;
  readonly programs: readonly ProgramSetting[];
  readonly envelope: EnvelopePolicy;
  readonly failsafe: Failsafe | null;
  /** Called at once when the signals have changed. */
  readonly changed: () => void;
}

export class SignalReceiver {
  private readonly deps: ReceiverDeps;
  private readonly book: SignalBook;
  private connected = false;
  private connectedSinceMs: number | null = null;
  private lostAtMs: number;
  private refusals = 0;
  private refusalsSinceMs = 0;

  constructor(deps: ReceiverDeps) {
    this.deps = deps;
    this.lostAtMs = deps.clock.elapsedMs();
    const { clock, store } = deps;
    this.book = new SignalBook(store.load(isWallPlausible(clock.wallMs()) ? clock.wallMs() : 0));
  }

  open(transport: SignalTransport): void {
    transport.open({
      message: (topic, bytes) => this.message(topic, bytes),
      refused: (topic, reason) => this.refuse(topic, reason),
      state: (connected, reason) => this.state(connected, reason),
    });
  }

  /** All signals, and the failsafe limit when the operator has been out of reach for longer than agreed. */
  current(): readonly Signal[] {
    const { clock, failsafe } = this.deps;
    const silentMs = this.connected ? 0 : clock.elapsedMs() - this.lostAtMs;
    const limit = failsafe && failsafeSignal(failsafe, silentMs, clock.wallMs());
    return limit ? [...this.book.current(), limit] : this.book.current();
  }

  broker(): { connected: boolean; sinceMs: number | null } {
    return { connected: this.connected, sinceMs: this.connectedSinceMs };
  }

  /** Once an hour or so. */
  prune(): void {
    const { clock, store } = this.deps;
    if (!isWallPlausible(clock.wallMs())) return;
    for (const id of this.book.prune(clock.wallMs())) store.remove(id);
  }

  /** Whether what it says is written down. A refused message is dealt with, too. */
  private message(topic: string, bytes: Uint8Array): boolean {
    const { clock, programs, envelope } = this.deps;
    const opened = openEnvelope(bytes, envelope);
    if (!opened.ok) {
      this.refuse(topic, opened.error);
      return true;
    }
    const context = { programs, receivedMs: clock.wallMs(), draw: (id: string) => this.draw(id) };
    const change = readOpenAdr3(opened.value.payload, context);
    if (!change.ok) {
      this.refuse(topic, change.error);
      return true;
    }
    const applied = this.book.apply(change.value, clock.wallMs(), isWallPlausible(clock.wallMs()));
    if (applied.kept.length + applied.cancelled.length > 0) this.deps.changed();
    return this.writeDown(topic, applied);
  }

  private writeDown(topic: string, applied: ReturnType<SignalBook['apply']>): boolean {
    const { journal, store, clock } = this.deps;
    let kept = true;
    for (const signal of applied.kept) {
      if (!store.save(signal)) kept = false;
      const [first] = signal.intervals;
      const detail = {
        id: signal.id,
        kind: signal.kind,
        binding: signal.binding,
        first,
        intervals: signal.intervals.length,
      };
      journal.record({
        atMs: clock.wallMs(),
        kind: 'signal',
        subject: signal.source,
        code: signal.kind,
        detail,
      });
    }
    for (const id of applied.cancelled) {
      store.remove(id);
      journal.record({
        atMs: clock.wallMs(),
        kind: 'signal',
        subject: null,
        code: 'CANCELLED',
        detail: { id },
      });
    }
    for (const { reason } of applied.refused) this.refuse(topic, reason);
    return kept;
  }

  private refuse(topic: string, reason: Fault): void {
    const { journal, clock } = this.deps;
    if (clock.elapsedMs() - this.refusalsSinceMs > 3_600_000) {
      this.refusals = 0;
      this.refusalsSinceMs = clock.elapsedMs();
    }
    this.refusals += 1;
    if (this.refusals > LIMITS.refusalEntriesAnHour) return;
    const detail = {
      topic: topic.slice(0, 200),
      message: reason.message.slice(0, 500),
      refusals: this.refusals,
    };
    journal.record({ atMs: clock.wallMs(), kind: 'rejected', subject: null, code: reason.code, detail });
  }

  /** Drawn once for an event and kept, so that a restart does not draw again. */
  private draw(eventId: string): number {
    const name = `draw.${eventId}`;
    const kept = Number(this.deps.settings.get(name) ?? Number.NaN);
    if (Number.isFinite(kept)) return kept;
    const drawn = this.deps.random.next() * 2 - 1;
    this.deps.settings.set(name, String(drawn));
    return drawn;
  }

  private state(connected: boolean, reason: Fault | null): void {
    if (connected === this.connected) return;
    const { clock, journal } = this.deps;
    this.connected = connected;
    this.connectedSinceMs = connected ? clock.wallMs() : null;
    if (!connected) this.lostAtMs = clock.elapsedMs();
    this.deps.changed();
    journal.record({
      atMs: clock.wallMs(),
      kind: 'system',
      subject: 'broker',
      code: connected ? 'CONNECTED' : (reason?.code ?? 'LINK_GONE'),
      detail: {},
    });
  }
}
