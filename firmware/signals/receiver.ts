/** Joins transport, envelope, dialect and book. What a message changes takes effect first and is written down after. */
import { type Fault, fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import { isCommand, type Signal } from '../domain/signal.ts';
import type { Journal, JournalEntry, Settings, SignalStore } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import type { SignalTransport } from '../domain/transport.ts';
import { type Applied, KEEP_OVER_MS, SignalBook } from './book.ts';
import { drawsOf } from './draw.ts';
import { type EnvelopePolicy, openEnvelope } from './envelope.ts';
import { type Failsafe, FailsafeWatch } from './failsafe.ts';
import type { LimitationState } from './limitation.ts';
import { readOpenAdr3 } from './openadr3.ts';
import type { Baselines } from './openadr3-payloads.ts';
import { type ProgramSetting, restoreOf } from './program.ts';
import { Quota } from './quota.ts';
import { fits } from './topic.ts';
import { WallWatch } from './wall-watch.ts';

export interface ReceiverDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly store: SignalStore;
  readonly settings: Settings;
  readonly programs: readonly ProgramSetting[];
  readonly envelope: EnvelopePolicy;
  readonly failsafe: Failsafe | null;
  /** What a reduction may be measured against. */
  readonly baselines?: Baselines;
  /** Of the site. */
  readonly currency?: string;
  /** Takes messages of topics that are not the dialect's: true when it did. */
  readonly other?: (topic: string, bytes: Uint8Array) => boolean;
  /** Chance by name, in [−1, 1); of this home's own seed when absent. */
  readonly draw?: (name: string) => number;
  /** Called at once when the signals have changed. */
  readonly changed: () => void;
}

export class SignalReceiver {
  private readonly deps: ReceiverDeps;
  private readonly book: SignalBook;
  private readonly watch: FailsafeWatch | null;
  private readonly wall: WallWatch;
  private readonly draw: (name: string) => number;
  private readonly entries = new Quota(LIMITS.signalEntriesAnHour);
  private readonly refusals = new Quota(LIMITS.refusalEntriesAnHour);
  private connected = false;
  private connectedSinceMs: number | null = null;
  private all: readonly Signal[] = [];

  constructor(deps: ReceiverDeps) {
    this.deps = deps;
    const { clock, store, settings, random, failsafe } = deps;
    this.draw = deps.draw ?? drawsOf(settings, random);
    const restore = restoreOf(commanding(deps.programs), this.draw('failsafe/end'));
    this.watch = failsafe && new FailsafeWatch(failsafe, restore, clock, settings);
    this.wall = new WallWatch(clock);
    // All of it: the clock may be wrong, what is over is recognised when it comes again, and the day's cost needs it.
    this.book = new SignalBook(store.load(0), clock.wallMs());
  }

  open(transport: SignalTransport): void {
    transport.open({
      message: (topic, bytes) => this.message(topic, bytes),
      refused: (topic, reason) => this.refuse(topic, reason),
      state: (connected, reason) => this.state(connected, reason),
    });
  }

  /** All signals, and the failsafe limits when they hold. The same list until something changes. */
  current(): readonly Signal[] {
    this.lookAtClock();
    const known = this.book.current();
    this.watch?.look(this.connected, known);
    const now = this.watch?.inForce(known) ?? known;
    const isSame = now.length === this.all.length && now.every((signal, i) => signal === this.all[i]);
    if (!isSame) this.all = now;
    return this.all;
  }

  /** Whether the wall clock says when a price holds: it is set, and has not just left a time that stood. */
  isClockBelieved(): boolean {
    this.lookAtClock();
    const { isSet, leapMs } = this.wall.now();
    return isSet && leapMs === 0;
  }

  broker(): { connected: boolean; sinceMs: number | null } {
    return { connected: this.connected, sinceMs: this.connectedSinceMs };
  }

  /** Whether the operator is in control; null when no failsafe limit was agreed. */
  limitation(): LimitationState | null {
    return this.watch?.state() ?? null;
  }

  /** Once an hour or so. */
  prune(): void {
    const { clock, store } = this.deps;
    this.lookAtClock();
    if (!this.wall.standsFor(KEEP_OVER_MS)) return;
    for (const id of this.book.prune(clock.wallMs())) store.remove(id);
  }

  private lookAtClock(): void {
    const jump = this.wall.look();
    if (jump === null) return;
    for (const signal of this.book.redate(jump)) {
      this.deps.store.save(signal);
      if (signal.held) this.record('signal', signal.source, 'HELD', { id: signal.id, held: signal.held });
    }
  }

  /** Whether what it says is written down. A refused message is dealt with, too. */
  private message(topic: string, bytes: Uint8Array): boolean {
    const opened = openEnvelope(bytes, this.deps.envelope);
    if (!opened.ok) {
      this.refuse(topic, opened.error);
      return true;
    }
    const { payload } = opened.value;
    if (this.isHeartbeat(topic, payload) || this.deps.other?.(topic, payload)) return true;
    return this.event(topic, payload);
  }

  private isHeartbeat(topic: string, payload: Uint8Array): boolean {
    const filter = this.deps.failsafe?.heartbeat?.topic;
    if (filter === undefined || !this.watch || !fits(filter, topic)) return false;
    if (this.watch.heartbeat(payload)) this.deps.changed();
    else this.refuse(topic, fault('SIGNAL_STALE', 'no heartbeat, or an old one'));
    return true;
  }

  private event(topic: string, payload: Uint8Array): boolean {
    const { clock, programs, baselines, currency } = this.deps;
    this.lookAtClock();
    const change = readOpenAdr3(payload, {
      programs,
      topic,
      receivedMs: clock.wallMs(),
      draw: this.draw,
      measured: (event) => this.book.measured(event),
      ...(baselines && { baselines }),
      ...(currency !== undefined && { currency }),
    });
    if (!change.ok) {
      this.refuse(topic, change.error);
      return true;
    }
    const applied = this.book.apply(change.value, this.wall.now());
    const changes = [...applied.kept, ...applied.cancelled];
    const taken = new Set(applied.kept.map(({ id }) => id));
    for (const { id, reason } of change.value.gaps ?? []) if (taken.has(id)) this.refuse(topic, reason);
    const before = this.limitation();
    if ([...changes, ...applied.repeated].some(isCommand)) this.watch?.written(this.book.current());
    if (changes.length > 0 || this.limitation() !== before) this.deps.changed();
    return this.writeDown(topic, applied);
  }

  private writeDown(topic: string, applied: Applied): boolean {
    const { store } = this.deps;
    for (const id of applied.removed) store.remove(id);
    const saved = [...applied.kept, ...applied.cancelled].map((signal) => store.save(signal));
    for (const signal of applied.kept) this.record('signal', signal.source, signal.kind, detailOf(signal));
    for (const { id, source } of applied.cancelled) this.record('signal', source, 'CANCELLED', { id });
    for (const { reason } of applied.refused) this.refuse(topic, reason);
    return saved.every(Boolean);
  }

  private refuse(topic: string, reason: Fault): void {
    if (!this.refusals.take(this.deps.clock.elapsedMs())) return;
    this.record('rejected', null, reason.code, {
      topic: topic.slice(0, 200),
      message: reason.message.slice(0, 500),
      refusals: this.refusals.count,
    });
  }

  private record(
    kind: JournalEntry['kind'],
    subject: string | null,
    code: string,
    detail: JournalEntry['detail'],
  ): void {
    const { clock, journal } = this.deps;
    if (kind === 'signal' && !this.entries.take(clock.elapsedMs())) return;
    journal.record({ atMs: clock.wallMs(), kind, subject, code, detail });
  }

  private state(connected: boolean, reason: Fault | null): void {
    if (connected === this.connected) return;
    // The last moment of the link counts for the failsafe limit.
    this.watch?.look(this.connected, this.book.current());
    this.connected = connected;
    this.connectedSinceMs = connected ? this.deps.clock.wallMs() : null;
    this.deps.changed();
    this.record('system', 'broker', connected ? 'CONNECTED' : (reason?.code ?? 'LINK_GONE'), {});
  }
}

/** Those whose limits a failsafe limit stands in for; where there is none, what holds where nothing is agreed. */
function commanding(programs: readonly ProgramSetting[]): readonly Pick<ProgramSetting, 'restore'>[] {
  const found = programs.filter(({ binding }) => binding === 'commandable');
  return found.length > 0 ? found : [{}];
}

const detailOf = (signal: Signal) => ({
  id: signal.id,
  kind: signal.kind,
  binding: signal.binding,
  first: signal.intervals[0],
  intervals: signal.intervals.length,
  ...(signal.baseline && { baseline: signal.baseline }),
});
