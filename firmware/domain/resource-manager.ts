/**
 * What an adapter opens (S2 / EN 50491-12-2: resource manager). A meter is one that is NOT_CONTROLABLE.
 */
import type { Fault } from './errors.ts';
import type { Flexibility } from './flexibility.ts';
import type { Instruction, InstructionStatus } from './instruction.ts';
import type { Measurement } from './measurement.ts';
import type { MeterEvent } from './meter-event.ts';

/** `connecting` before the first answer, `ok`, `silent` after a missed deadline, `faulty` when it answers wrongly. */
export type ResourceHealth = 'connecting' | 'ok' | 'silent' | 'faulty';

export interface ResourceEvents {
  measured(measurements: readonly Measurement[]): void;
  /** The menu has changed; called once after open with the first menu. */
  flexibility(flexibility: Flexibility): void;
  status(instruction: Instruction, status: InstructionStatus, reason: Fault | null): void;
  health(health: ResourceHealth, reason: Fault | null): void;
  /** Something was dropped or went wrong; counted per code and shown, never logged one by one. */
  fault(reason: Fault): void;
  /** It no longer holds what it was told last; whoever told it decides anew. */
  lost?(reason: Fault): void;
  /** Values that the meter kept itself, each stamped with its own time; stored, never taken for the present. */
  history?(measurements: readonly Measurement[]): void;
  /** Something that a person may want to know. */
  noted?(event: MeterEvent): void;
}

export interface ResourceManager {
  readonly id: string;
  /** Starts reading and keeps at it, with back-off, until closed. Never rejects for a device that is not there. */
  open(events: ResourceEvents): void;
  /**
   * Accepts or rejects at once (ACCEPTED or REJECTED), carries out in the background, reports STARTED and then
   * SUCCEEDED or ABORTED. A later instruction replaces one that is not yet carried out (REVOKED).
   */
  instruct(instruction: Instruction): void;
  close(): Promise<void>;
}
