/**
 * What the operator says, when, and what then holds: the scenarios are data. Each runs once as it is, and those of
 * commands once more with a restart before every step: the book is on disk, so nothing may be different.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Test, test } from 'tap';
import { fault } from '../../firmware/domain/errors.ts';
import type { BaselineName } from '../../firmware/domain/signal.ts';
import type { TransportEvents } from '../../firmware/domain/transport.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { activeLimits, askedFor_W } from '../../firmware/policy/active-limits.ts';
import type { Failsafe } from '../../firmware/signals/failsafe.ts';
import { type ProgramSetting, programSchema } from '../../firmware/signals/program.ts';
import { SignalReceiver } from '../../firmware/signals/receiver.ts';
import { openStore } from '../../firmware/store/index.ts';
import { SITE } from '../policy/home.ts';
import { message } from '../twins/operator.ts';

const NOON = Date.UTC(2026, 0, 15, 12);

interface Sent {
  readonly id: string;
  readonly program?: string;
  readonly topic?: string;
  readonly type?: string;
  readonly units?: string;
  readonly kW?: number | null;
  readonly values?: readonly unknown[];
  readonly also?: Readonly<Record<string, readonly unknown[]>>;
  readonly start: string;
  readonly duration: string;
  readonly randomizeStart?: string;
  /** Which nobody here reads, but which makes the message another one. */
  readonly targets?: readonly string[];
  readonly priority?: number | null;
  /** `HH:MM`; null leaves it out; the time of sending when absent. */
  readonly modified?: string | null;
}

interface Step {
  readonly at: string;
  readonly send?: Sent;
  readonly withdraw?: string;
  readonly modified?: string;
  readonly beat?: string;
  readonly raw?: string;
  readonly topic?: string;
  readonly link?: boolean;
  readonly restart?: boolean;
  readonly baselines?: Partial<Record<BaselineName, number>>;
  /** [W, scope, "restoring" or "export"]. */
  readonly limits?: readonly (readonly (number | string)[])[];
  readonly asked_W?: number | null;
  readonly state?: string;
  readonly alert?: string;
  readonly rejected?: readonly string[];
}

interface Scenario
  extends Partial<Pick<ProgramSetting, 'baseline' | 'reductionSign' | 'levels' | 'restore' | 'topic'>> {
  readonly name: string;
  readonly failsafe?: Failsafe;
  readonly baselines?: Partial<Record<BaselineName, number>>;
  /** What chance gives, in [−1, 1). */
  readonly draw?: number;
  readonly beatEveryMinute?: boolean;
  readonly steps: readonly Step[];
}

const instant = (time: string): number => Date.parse(`2026-01-15T${time}:00Z`);
const load = (name: string): readonly Scenario[] =>
  JSON.parse(readFileSync(path.join(import.meta.dirname, 'scenarios', name), 'utf8')) as Scenario[];

function eventOf(sent: Sent, nowMs: number) {
  const { id, program = 'limits', type = 'IMPORT_CAPACITY_LIMIT', units, kW, also = {}, modified } = sent;
  const values = sent.values ?? [kW];
  const modifiedMs = typeof modified === 'string' ? instant(modified) : nowMs;
  return {
    id,
    programID: program,
    ...(modified !== null && { modificationDateTime: new Date(modifiedMs).toISOString() }),
    ...(sent.priority !== null && { priority: sent.priority ?? 1 }),
    ...(sent.targets && { targets: sent.targets }),
    ...(units && { payloadDescriptors: [{ payloadType: type, units }] }),
    intervalPeriod: {
      start: sent.start === 'now' ? '0001-01-01T00:00:00Z' : new Date(instant(sent.start)).toISOString(),
      duration: sent.duration,
      ...(sent.randomizeStart && { randomizeStart: sent.randomizeStart }),
    },
    intervals: [
      {
        id: 0,
        payloads: [{ type, values }, ...Object.entries(also).map(([t, v]) => ({ type: t, values: v }))],
      },
    ],
  };
}

/** One home: a receiver over a database on disk, and the operator's end of the wire. */
class Home {
  private readonly scenario: Scenario;
  private readonly file: string;
  private readonly clock = new SimulatedClock(NOON);
  private baselines: Partial<Record<BaselineName, number>>;
  private store: ReturnType<typeof openStore>;
  private receiver: SignalReceiver;
  private events: TransportEvents | null = null;
  private linked = false;

  constructor(scenario: Scenario, file: string) {
    this.scenario = scenario;
    this.file = file;
    this.baselines = scenario.baselines ?? {};
    this.store = this.openStore();
    this.receiver = this.start();
  }

  restart(): void {
    this.close();
    this.store = this.openStore();
    this.receiver = this.start();
    if (this.linked) this.events?.state(true, null);
  }

  close(): void {
    this.store.close();
  }

  /** Time passes second by second, as the gateway's cycle looks. */
  async until(wallMs: number): Promise<void> {
    while (this.clock.wallMs() < wallMs) {
      await this.clock.advanceTo(this.clock.elapsedMs() + 1000);
      this.receiver.current();
      const beats = this.scenario.beatEveryMinute && this.clock.wallMs() % 60_000 === 0;
      if (beats) this.deliver('dso/beat', { timestamp: new Date(this.clock.wallMs()).toISOString() });
    }
  }

  do(step: Step): void {
    const now = this.clock.wallMs();
    if (step.restart) this.restart();
    if (step.baselines) this.baselines = step.baselines;
    if (step.link !== undefined) this.link(step.link);
    if (step.beat) this.deliver('dso/beat', { timestamp: new Date(instant(step.beat)).toISOString() });
    if (step.raw) this.events?.message(step.topic ?? 'dso/x', Buffer.from(step.raw));
    if (step.send) this.deliver(step.send.topic ?? 'dso/x', eventOf(step.send, now));
    if (step.withdraw) {
      const modified = step.modified && {
        modificationDateTime: new Date(instant(step.modified)).toISOString(),
      };
      const object = { id: step.withdraw, programID: 'limits', ...modified };
      this.deliver('dso/x', { objectType: 'EVENT', operation: 'DELETE', object });
    }
  }

  /** What a step says must hold, in its own form. */
  seen(step: Step, rejectedBefore: number): Partial<Step> {
    const signals = this.receiver.current();
    const image = { signals, wallMs: this.clock.wallMs(), wallTrusted: true, site: SITE };
    const limits = activeLimits(image).map(({ limit_W, scope, restoring, direction }) => [
      limit_W,
      scope,
      ...(restoring ? ['restoring'] : direction === 'export' ? ['export'] : []),
    ]);
    return {
      ...(step.limits && { limits }),
      ...(step.asked_W !== undefined && { asked_W: askedFor_W(image) }),
      ...(step.state && { state: String(this.receiver.limitation()) }),
      ...(step.alert && { alert: signals.find((s) => s.kind === 'alert')?.text ?? '' }),
      ...(step.rejected && { rejected: this.rejected().slice(rejectedBefore) }),
    };
  }

  /** What is computed from a list of signals is kept with it: it must be the same list until something changes. */
  isSteady(): boolean {
    const before = this.receiver.current();
    return this.receiver.current() === before;
  }

  rejected(): string[] {
    return this.store.journal
      .read({ limit: 100, kind: 'rejected' })
      .map((e) => e.code)
      .reverse();
  }

  private deliver(topic: string, body: object): void {
    this.events?.message(topic, message(body));
  }

  private link(up: boolean): void {
    this.linked = up;
    this.events?.state(up, up ? null : fault('LINK_GONE'));
  }

  private openStore() {
    return openStore(this.file, { clock: this.clock, timeZone: 'Europe/Berlin', syncs: false });
  }

  private start(): SignalReceiver {
    const { baseline, reductionSign, levels, restore, topic, failsafe, draw = 0 } = this.scenario;
    const common = { binding: 'commandable' as const, restore };
    const agreed = { baseline, reductionSign, levels, topic };
    const programs = [
      { id: 'limits', name: 'DSO', ...common, ...agreed },
      { id: 'aggregator', name: 'Aggregator', ...common },
      { id: 'p14a', name: 'DSO', scope: 'controllable', ...common },
      { id: 'prices', name: 'Market', binding: 'informational' },
    ].map((p) => programSchema.parse(p));
    const receiver = new SignalReceiver({
      clock: this.clock,
      random: { next: () => 0, bytes: (length) => new Uint8Array(length) },
      journal: this.store.journal,
      store: this.store.signals,
      settings: this.store.settings,
      programs,
      envelope: { signed: false },
      failsafe: failsafe ?? null,
      baselines: (name) => this.baselines[name] ?? null,
      draw: () => draw,
      changed: () => {},
    });
    receiver.open({
      open: (events) => {
        this.events = events;
      },
      publish: async () => {},
      close: async () => {},
    });
    return receiver;
  }
}

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-scenarios-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
let serial = 0;

async function play(t: Test, scenario: Scenario, restarts: boolean): Promise<void> {
  const home = new Home(scenario, path.join(dir, `${serial++}.sqlite`));
  for (const [index, step] of scenario.steps.entries()) {
    await home.until(instant(step.at));
    if (restarts) home.restart();
    const rejectedBefore = home.rejected().length;
    home.do(step);
    const { limits, asked_W, state, alert, rejected } = step;
    const wanted = Object.fromEntries(
      Object.entries({ limits, asked_W, state, alert, rejected }).filter(([, value]) => value !== undefined),
    );
    t.same(home.seen(step, rejectedBefore), wanted, `step ${index} at ${step.at}`);
    t.ok(home.isSteady());
  }
  home.close();
}

for (const scenario of load('commands.json')) {
  test(scenario.name, async (t) => play(t, scenario, false));
  test(`${scenario.name}, with restarts`, async (t) => play(t, scenario, true));
}
for (const scenario of load('failsafe.json')) test(scenario.name, async (t) => play(t, scenario, false));
