/**
 * The cycle: freeze image → decide → guard → dispatch → journal → feed the watchdog. It knows resource managers,
 * signals and storage only by their traits, so that the same gateway runs on a board, in the demo home and in a
 * simulation.
 */
import type { AdmissionRequest, Admissions } from './domain/admission.ts';
import type { CommandReport } from './domain/command-report.ts';
import type { Fault } from './domain/errors.ts';
import type { Flexibility } from './domain/flexibility.ts';
import type { Decision, DeviceDecision, Image, Known, Override, Site, Snapshot } from './domain/image.ts';
import type { InstructionStatus } from './domain/instruction.ts';
import type { Measurement } from './domain/measurement.ts';
import type { Modes } from './domain/mode.ts';
import type { ResourceHealth, ResourceManager } from './domain/resource-manager.ts';
import type { Signal } from './domain/signal.ts';
import type { Journal, OverrideStore, SeriesStore, Settings } from './domain/storage.ts';
import { type Cancel, type Clock, type ElapsedMs, every, isWallPlausible } from './domain/time.ts';
import { DeviceSeat, type DeviceSettings } from './gateway/device-seat.ts';
import { MeanImport } from './gateway/mean-import.ts';
import { MeterSeat } from './gateway/meter-seat.ts';
import { type Compliance, follow } from './policy/compliance.ts';
import { decide } from './policy/decide.ts';
import { requestsOf } from './policy/rules/admission.ts';

export interface GatewayDeps {
  readonly clock: Clock;
  readonly site: Site;
  readonly meters: readonly {
    readonly resource: ResourceManager;
    readonly name: string;
    readonly role: 'grid' | 'sub';
  }[];
  readonly devices: readonly { readonly resource: ResourceManager; readonly settings: DeviceSettings }[];
  readonly series: SeriesStore;
  readonly journal: Journal;
  readonly settings: Settings;
  readonly overrides: OverrideStore;
  readonly signals: () => readonly Signal[];
  /** Whether prices and schedules may be read off the wall clock; absent: as soon as it is set. */
  readonly isClockBelieved?: () => boolean;
  /** Whether the operator's broker is connected, for the page. */
  readonly broker: () => Snapshot['broker'];
  /** The house's plan, for the page. */
  readonly plan?: () => Snapshot['plan'];
  /** What the planner has these devices do, slot by slot; absent or null: the rules decide alone. */
  readonly modes?: (devices: Image['devices']) => Modes | null;
  /** Asks the operator before a large load starts. */
  readonly admission?: { current(): Admissions; ask(request: AdmissionRequest): void };
  /** Says to the operator what became of its limits. */
  readonly report?: (report: CommandReport) => void;
  /** Called after each whole good cycle. */
  readonly feedWatchdog: () => void;
  readonly changed: (snapshot: Snapshot) => void;
}

/** A cycle runs at least this often; a grid measurement, a signal or an override runs one at once. */
const CYCLE_MS = 1_000;
/**
 * After a start nothing is decided before the grid meter and the devices have been heard, for so long at most: what runs
 * would be switched off on a guess. Most meters speak every ten seconds, and of the time in which a limit is carried out
 * enough is left.
 */
const DECIDES_WITHIN_MS = 12_000;
/** Ids are reserved in blocks, so that flash is written once in a thousand instructions. */
const ID_BLOCK = 1_000;

export class Gateway {
  private readonly deps: GatewayDeps;
  private readonly meters: readonly MeterSeat[];
  private readonly devices: readonly DeviceSeat[];
  private readonly startedMs: number;
  private readonly startedAtMs: ElapsedMs;
  /** Whether the house was heard after the start, or waited for long enough. */
  private isHeard = false;
  private cycle = 0;
  private decision: Decision | null = null;
  /** By device, the reason that was journalled last. */
  private readonly saidCodes = new Map<string, string>();
  private compliance: Compliance = [];
  private readonly mean = new MeanImport();
  private nextId: number;
  private reservedId: number;
  private busy = false;
  private again = false;
  private stopTick: Cancel = () => {};

  constructor(deps: GatewayDeps) {
    this.deps = deps;
    this.startedMs = deps.clock.wallMs();
    this.startedAtMs = deps.clock.elapsedMs();
    this.meters = deps.meters.map((m) => new MeterSeat(m.resource.id, m.name, m.role));
    const overrides = deps.overrides.load();
    this.devices = deps.devices.map(
      (d) =>
        new DeviceSeat(d.resource, d.settings, deps, overrides.get(d.resource.id) ?? { kind: 'automatic' }),
    );
    this.nextId = Number(deps.settings.get('instruction.next') ?? '1');
    this.reservedId = this.nextId;
  }

  start(): void {
    this.deps.meters.forEach(({ resource }, index) => {
      const seat = this.meters[index];
      if (seat) resource.open(this.meterEvents(seat));
    });
    for (const seat of this.devices) seat.resource.open(this.deviceEvents(seat));
    this.stopTick = every(this.deps.clock, CYCLE_MS, () => this.poke());
  }

  /** Stops deciding; devices keep their last set-point or fall back to their own failsafe. */
  async stop(): Promise<void> {
    this.stopTick();
    for (const seat of this.devices) seat.save();
    await Promise.all([...this.deps.meters, ...this.deps.devices].map(({ resource }) => resource.close()));
    this.deps.series.flush();
  }

  /** Runs a cycle now. Called for every change that may not wait for the tick. */
  poke(): void {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      do {
        this.again = false;
        this.runCycle();
      } while (this.again);
    } finally {
      this.busy = false;
    }
  }

  setOverride(device: string, override: Override): boolean {
    const seat = this.devices.find((d) => d.resource.id === device);
    if (!seat) return false;
    seat.override = override;
    this.poke();
    if (seat.override === override) this.keepOverride(seat, {});
    return true;
  }

  private keepOverride({ resource, override }: DeviceSeat, detail: Record<string, unknown>): void {
    this.deps.overrides.save(resource.id, override);
    this.record('override', resource.id, override.kind.toUpperCase(), { ...override, ...detail });
  }

  snapshot(): Snapshot {
    return {
      image: this.freeze(),
      decision: this.decision,
      devices: this.devices.map((d) => d.view()),
      meters: this.meters.map((m) => m.view()),
      broker: this.deps.broker(),
      plan: this.deps.plan?.() ?? null,
      startedMs: this.startedMs,
    };
  }

  private runCycle(): void {
    this.cycle += 1;
    for (const seat of this.devices) {
      const news = seat.account();
      if (news) this.record('fault', seat.resource.id, news.code, { reason: news });
      const end = seat.endOverride();
      if (end) this.keepOverride(seat, { ...end });
    }
    const image = this.freeze();
    this.isHeard ||= this.knows(image);
    if (this.isHeard) this.carryOut(image, decide(image));
    this.mean.take(image.grid_W, image.elapsedMs, image.site.staleAfterMs);
    this.deps.feedWatchdog();
    this.deps.changed(this.snapshot());
  }

  private knows({ elapsedMs, grid_W }: Image): boolean {
    if (elapsedMs - this.startedAtMs >= DECIDES_WITHIN_MS) return true;
    return grid_W.ageMs < Infinity && this.devices.every((d) => d.isHeard);
  }

  private carryOut(image: Image, decision: Decision): void {
    for (const wanted of decision.devices) this.dispatch(wanted, image);
    this.journalDecision(decision);
    this.decision = decision;
    this.tellOperator(image, decision);
    for (const request of requestsOf(image, decision)) this.deps.admission?.ask(request);
  }

  /** In W, what reductions of the operator are measured against; null when it is not known. */
  meanImport_W(): number | null {
    return this.mean.value_W(this.deps.clock.elapsedMs());
  }

  private tellOperator(image: Image, decision: Decision): void {
    const { next, reports } = follow(this.compliance, image, decision);
    this.compliance = next;
    for (const report of reports) {
      this.record('limit', report.source, report.state, { ...report });
      this.deps.report?.(report);
    }
  }

  private freeze(): Image {
    const { clock, site, signals } = this.deps;
    const admissions = this.deps.admission?.current();
    const elapsedMs = clock.elapsedMs();
    const wallMs = clock.wallMs();
    const grid = this.meters.find((m) => m.role === 'grid');
    const devices = this.devices.flatMap((d) => d.image(wallMs, elapsedMs) ?? []);
    const modes = this.deps.modes?.(devices);
    const phase = (n: number): Known =>
      grid?.phaseCurrent(n, elapsedMs, site.nominal_V) ?? { value: null, ageMs: Infinity };
    return {
      cycle: this.cycle,
      wallMs,
      elapsedMs,
      wallTrusted: this.deps.isClockBelieved?.() ?? isWallPlausible(wallMs),
      site,
      grid_W: grid?.netPower(elapsedMs) ?? { value: null, ageMs: Infinity },
      gridPhase_A: [phase(1), phase(2), phase(3)],
      devices,
      signals: signals(),
      ...(modes && { modes }),
      ...(admissions && { admissions }),
      nextInstructionId: this.nextId,
    };
  }

  private dispatch(wanted: DeviceDecision, image: Image): void {
    const seat = this.devices.find((d) => d.resource.id === wanted.resource);
    const abnormal = wanted.reasons.some((r) =>
      ['GRID_LIMIT', 'FAILSAFE_LIMIT', 'HOUSE_FUSE', 'EXPORT_LIMIT', 'GUARD'].includes(r.code),
    );
    seat?.decided(wanted.setPoint_W, wanted.isUnasked);
    if (!seat?.wants(wanted.setPoint_W, image.elapsedMs, abnormal)) return;
    seat.instruct({
      id: this.takeId(),
      resource: wanted.resource,
      setPoint_W: wanted.setPoint_W,
      issuedMs: image.wallMs,
      abnormal,
      reasons: wanted.reasons,
    });
  }

  private takeId(): number {
    if (this.nextId >= this.reservedId) {
      this.reservedId = this.nextId + ID_BLOCK;
      this.deps.settings.set('instruction.next', String(this.reservedId));
    }
    return this.nextId++;
  }

  /** Journals what changed since the cycle before: a set-point or its first reason, and what the guard took away. */
  private journalDecision(decision: Decision): void {
    for (const now of decision.devices) {
      const before = this.decision?.devices.find((d) => d.resource === now.resource);
      const said = this.saidCodes.get(now.resource);
      const code = codeOf(now) ?? said ?? 'SETTLING';
      const isSame = before?.setPoint_W === now.setPoint_W || this.isStep(before, now);
      if (before && isSame && said === code) continue;
      this.saidCodes.set(now.resource, code);
      this.record('decision', now.resource, code, { setPoint_W: now.setPoint_W, reasons: now.reasons });
    }
    for (const c of decision.corrections) {
      const same = this.decision?.corrections.some(
        (b) => b.resource === c.resource && b.reason.values.check === c.reason.values.check,
      );
      if (!same)
        this.record('guard', c.resource, 'GUARD', {
          wanted_W: c.wanted_W,
          allowed_W: c.allowed_W,
          ...c.reason.values,
        });
    }
  }

  /** A battery, or a roof, that goes on as it was, a little more or less. */
  private isStep(before: DeviceDecision | undefined, now: DeviceDecision): boolean {
    const seat = this.devices.find((d) => d.resource.id === now.resource);
    return (
      before !== undefined &&
      seat?.isLed === true &&
      Math.sign(before.setPoint_W) === Math.sign(now.setPoint_W)
    );
  }

  private record(
    kind: Parameters<Journal['record']>[0]['kind'],
    subject: string | null,
    code: string,
    detail: Record<string, unknown>,
  ): void {
    this.deps.journal.record({ atMs: this.deps.clock.wallMs(), kind, subject, code, detail });
  }

  private meterEvents(seat: MeterSeat): Parameters<ResourceManager['open']>[0] {
    return {
      measured: (measurements: readonly Measurement[]) => {
        this.deps.series.append(seat.take(measurements));
        if (seat.role !== 'grid') return;
        for (const device of this.devices) device.meterRead(this.deps.site.staleAfterMs);
        this.poke();
      },
      flexibility: () => {},
      status: () => {},
      health: (health, reason) =>
        this.health(seat.id, seat.health, health, reason, () => seat.setHealth(health)),
      fault: (reason) => seat.count(reason),
      // Its time is the meter's: before the first plausible time the store has no place for it.
      history: (kept) =>
        this.deps.series.append(seat.admitted(kept.filter((m) => isWallPlausible(m.receivedMs)))),
      noted: (event) => {
        seat.note(event);
        this.record('system', seat.id, event.code, { ...event.detail, meterMs: event.atMs });
      },
    };
  }

  private deviceEvents(seat: DeviceSeat): Parameters<ResourceManager['open']>[0] {
    return {
      measured: (measurements) => {
        seat.take(measurements);
        this.deps.series.append(measurements);
      },
      flexibility: (flexibility: Flexibility) => {
        seat.flexibility = flexibility;
        this.poke();
      },
      status: (instruction, status: InstructionStatus, reason) => {
        if (!seat.report(instruction, status, reason)) return;
        const detail = { instruction: instruction.id, setPoint_W: instruction.setPoint_W, fault: reason };
        this.record('command', seat.resource.id, status, detail);
      },
      health: (health, reason) => {
        this.health(seat.resource.id, seat.health, health, reason, () => seat.setHealth(health));
        if (health === 'ok') this.poke();
      },
      fault: (reason) => seat.count(reason),
      lost: (reason) => {
        seat.forget();
        this.record('fault', seat.resource.id, reason.code, { reason });
        this.poke();
      },
    };
  }

  private health(
    id: string,
    before: ResourceHealth,
    now: ResourceHealth,
    reason: Fault | null,
    apply: () => void,
  ): void {
    apply();
    if (before !== now) this.record('fault', id, now.toUpperCase(), { before, reason });
  }
}

/** Why it is so, for the journal; null where it only settles, as it does after each step. */
function codeOf({ reasons }: DeviceDecision): string | null {
  if (reasons.length === 0) return 'FREE';
  return reasons.find((r) => r.code !== 'SETTLING')?.code ?? null;
}
