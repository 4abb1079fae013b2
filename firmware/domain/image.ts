/**
 * The frozen process image that a cycle decides on, and what the cycle leaves behind. The gateway builds it,
 * the policy reads it, the page shows it: one shape for all three.
 */
import type { Admissions } from './admission.ts';
import type { Flexibility, PowerRange } from './flexibility.ts';
import type { HousePlan } from './house-plan.ts';
import type { Instruction, InstructionStatus, Reason } from './instruction.ts';
import type { MeterEvent } from './meter-event.ts';
import type { Modes } from './mode.ts';
import type { ResourceHealth } from './resource-manager.ts';
import type { Signal } from './signal.ts';
import type { Tariff } from './tariff.ts';
import type { ElapsedMs, WallMs } from './time.ts';

/** A value with its age; null is unknown. */
export interface Known {
  readonly value: number | null;
  /** Milliseconds since it was received; Infinity when it never was. */
  readonly ageMs: number;
}

/** So long after a command a device has begun to follow it. */
export const FOLLOWS_MS = 1_000;

export interface DeviceImage {
  readonly id: string;
  readonly flexibility: Flexibility;
  readonly health: ResourceHealth;
  /** Measured by the device itself; consumption positive. */
  readonly power_W: Known;
  /** What was last commanded and confirmed; null when nothing is known (after a start). */
  readonly setPoint_W: number | null;
  /** Milliseconds that it has been in its present on/off state; Infinity when unknown. */
  readonly inStateMs: number;
  /** Milliseconds since its set-point was last lowered by us; Infinity when never. Raising waits for this to grow. */
  readonly sinceLoweredMs: number;
  /**
   * Milliseconds since a command to it was last under way or took effect, 0 while that is not known: after a start until
   * it is heard, too. Absent: long ago.
   */
  readonly sinceChangedMs?: number;
  /** The command that is under way, or that failed and may have been taken all the same; absent: there is none. */
  readonly underWay_W?: number;
  /** What it drew when the grid meter was last read, as far as is known, or by what it was told; absent: as `power_W`. */
  readonly atGrid_W?: number;
  /**
   * What it may have drawn when the grid meter was last read, and may draw until the next reading: all that it was told and
   * that it said since that was last known. Absent: it is known, or nobody can say.
   */
  readonly mayDraw_W?: PowerRange;
  /** It began on own sun alone, which nobody has to be asked for: what it takes from the grid has still to be asked for. */
  readonly isUnasked?: true;
  readonly override: Override;
  /** Of a device with a program: the run that was asked for and has not ended; absent: it is not asked to run. */
  readonly run?: ProgramRun;
  /** 0 is the most important: it gives way last. */
  readonly priority: number;
  readonly mode: ControlMode;
}

/** How the owner wants a device run: when it is cheap before its deadline, from own solar only, or always. */
export type ControlMode = 'cheap' | 'solar' | 'always';

export interface ProgramRun {
  /** When it has to be done; null: as soon as it may run. */
  readonly byMs: WallMs | null;
  /** How much of the program is done, ms; null: it has not begun. */
  readonly doneMs: number | null;
  /** Since it was asked for, or since the gateway started when that was later; absent: long ago. */
  readonly knownForMs?: number;
}

export type Override =
  | { readonly kind: 'automatic' }
  /** Of a device with a program, `untilMs` null: one run; until a time: power for setting it, which is no run. */
  | { readonly kind: 'now'; readonly untilMs: WallMs | null }
  | { readonly kind: 'notBefore'; readonly atMs: WallMs }
  /** Of a device with a program: one run, done by then. It ends with the run, not with the hour. */
  | { readonly kind: 'runBy'; readonly byMs: WallMs }
  | { readonly kind: 'off' };

export interface Site {
  /** Rated current of the main fuse per phase and the number of phases. */
  readonly fuse_A: number;
  readonly phases: 1 | 3;
  readonly nominal_V: number;
  /** What the rest of the house may draw at worst when the meter says nothing. */
  readonly baseWorstCase_W: number;
  /** What production that cannot be steered may give at most, in W; absent: there is none. */
  readonly productionWorstCase_W?: number;
  /** IANA zone of the site, for days and shift times. */
  readonly timeZone: string;
  readonly currency: string;
  /** A meter value older than this is stale. */
  readonly staleAfterMs: number;
  /** What the contract fixes where no price signal says otherwise. */
  readonly importTariff: Tariff;
  readonly exportTariff: Tariff;
  /** What the highest mean import of a quarter hour costs in a month, per W above what is free; absent: nothing. */
  readonly peak?: { readonly price_perW: number; readonly free_W: number };
  /** What the owner gives for a gram of CO2 less; absent: nothing. */
  readonly co2_perG?: number;
}

export interface Image {
  readonly cycle: number;
  readonly wallMs: WallMs;
  readonly elapsedMs: ElapsedMs;
  /** Whether the wall clock can be trusted; without it no price and no schedule counts, limits still do. */
  readonly wallTrusted: boolean;
  readonly site: Site;
  /** Net power at the connection: import positive, export negative. */
  readonly grid_W: Known;
  /** Per phase L1, L2, L3 in A, import positive; null where the meter does not say. */
  readonly gridPhase_A: readonly [Known, Known, Known];
  readonly devices: readonly DeviceImage[];
  readonly signals: readonly Signal[];
  /** What a plan has devices do, slot by slot; absent: there is no plan, and the rules decide alone. */
  readonly modes?: Modes;
  /** What the operator said about large loads that want to start; absent: it is not asked. */
  readonly admissions?: Admissions;
  readonly nextInstructionId: number;
}

/** The limit in force at the connection, with where it comes from. `limit_W` null is "none"; 0 is 0 W. */
export interface ActiveLimit {
  readonly limit_W: number;
  readonly source: string;
  readonly signalId: string;
  readonly scope: 'site' | 'controllable';
  readonly direction: 'import' | 'export';
  readonly untilMs: WallMs | null;
  /** The limit is over, and is given up slowly. */
  readonly restoring?: true;
}

export interface DeviceDecision {
  readonly resource: string;
  readonly setPoint_W: number;
  readonly reasons: readonly Reason[];
  /** It runs on own sun alone, and the operator was not asked. */
  readonly isUnasked?: true;
  /** Slots in which it is meant to run, for the page; empty when nothing is planned. */
  readonly planned: readonly {
    readonly fromMs: WallMs;
    readonly untilMs: WallMs;
    readonly power_W: number;
  }[];
}

export interface Decision {
  readonly cycle: number;
  readonly wallMs: WallMs;
  readonly limits: readonly ActiveLimit[];
  readonly devices: readonly DeviceDecision[];
  /** Where the guard had to correct the rules. */
  readonly corrections: readonly {
    readonly resource: string;
    readonly wanted_W: number;
    readonly allowed_W: number;
    readonly reason: Reason;
  }[];
}

/** The read-only view that the page and the API are served from. */
export interface Snapshot {
  readonly image: Image;
  readonly decision: Decision | null;
  readonly devices: readonly {
    readonly id: string;
    readonly instruction: Instruction | null;
    readonly status: InstructionStatus | null;
    readonly statusCode: string | null;
  }[];
  readonly meters: readonly MeterView[];
  readonly broker: { readonly connected: boolean; readonly sinceMs: WallMs | null };
  /** The plan of the house while it is fresh; null or absent when there is none. */
  readonly plan?: HousePlan | null;
  readonly startedMs: WallMs;
}

export interface MeterView {
  readonly id: string;
  readonly name: string;
  readonly health: ResourceHealth;
  readonly lastMs: WallMs | null;
  readonly values: readonly {
    readonly point: string;
    readonly value: number | null;
    readonly unit: string;
  }[];
  /** Count of faults by code since start. */
  readonly faults: Readonly<Record<string, number>>;
  /** What the meter noted since the start and is not over, the newest first; absent: nothing. */
  readonly notes?: readonly MeterEvent[];
}
