import type { WallMs } from './time.ts';

/** Why an instruction is what it is. `code` chooses the sentence on the page; the values fill it in. */
export interface Reason {
  readonly code: ReasonCode;
  /** Numbers and texts for the sentence, by name with the unit last: `limit_W`, `untilMs`, `source`. */
  readonly values: Readonly<Record<string, string | number | null>>;
}

export type ReasonCode =
  | 'GRID_LIMIT'
  | 'FAILSAFE_LIMIT'
  | 'RESTORING'
  | 'GRID_ASKS'
  | 'ADMISSION_ASKED'
  | 'ADMISSION_LATER'
  | 'ADMISSION_GRANTED'
  | 'ADMISSION_UNANSWERED'
  | 'HOUSE_FUSE'
  | 'MINIMUM_ON'
  | 'MINIMUM_OFF'
  /** Too cold, or warm enough: values `temperature_C`, `lo_C`, `hi_C`. */
  | 'TOO_COLD'
  | 'WARM_ENOUGH'
  | 'PRICE_WAIT'
  | 'PRICE_RUN'
  | 'DEADLINE_RUN'
  | 'OWN_SOLAR'
  | 'NO_PRICE'
  | 'NO_CLOCK'
  | 'STALE_METER'
  | 'DEVICE_LOST'
  | 'OWNER_NOW'
  | 'OWNER_NOT_BEFORE'
  | 'OWNER_OFF'
  | 'EXPORT_LIMIT'
  /** Feeding in costs, and a roof gives no more than is taken: value `costs`, per Wh. */
  | 'EXPORT_COSTS'
  | 'FREE'
  | 'GUARD'
  | 'NO_NEED'
  | 'SETTLING'
  | 'PLANNED'
  /** A planned load gives way so that no higher peak is billed: values `importUpTo_W`, `goingOnCosts`. */
  | 'PEAK'
  /** A program that has begun is not interrupted: value `leftMs`. */
  | 'PROGRAM_RUNS';

/** From the energy manager to a resource manager; holds no address and no register. */
export interface Instruction {
  /** Rises by one for each instruction of this gateway, over restarts. */
  readonly id: number;
  readonly resource: string;
  /** Set-point: consumption positive, production negative. For a producer the most it may produce. */
  readonly setPoint_W: number;
  readonly issuedMs: WallMs;
  /** Set for grid limits and the fuse, never for price (S2 `abnormal_condition`). */
  readonly abnormal: boolean;
  /** Strongest first. */
  readonly reasons: readonly Reason[];
}

/** NEW → ACCEPTED | REJECTED, then STARTED → SUCCEEDED | ABORTED, or REVOKED (S2 instruction status). */
export type InstructionStatus =
  | 'NEW'
  | 'ACCEPTED'
  | 'REJECTED'
  | 'STARTED'
  | 'SUCCEEDED'
  | 'ABORTED'
  | 'REVOKED';
