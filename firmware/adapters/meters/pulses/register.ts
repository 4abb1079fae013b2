/**
 * A meter's register kept by counting its pulses, and held against the real one whenever that is known: a meter
 * constant that is not what it is said to be shows itself, and so do pulses that nobody counted.
 */
import type { MeterEvent } from '../../../domain/meter-event.ts';
import type { WallMs } from '../../../domain/time.ts';

/** What is kept over a power cut. */
export interface RegisterState {
  /** Counted ever. */
  readonly pulses: number;
  /** Pulses per unit of the meter (kWh, m3) that they were counted with. */
  readonly constant: number;
  /** The register, in the unit of the house, when `atPulses` had been counted. */
  readonly base: { readonly value: number; readonly atPulses: number };
  /** A reading of the real register stands behind `base`; without one there is nothing to compare the next with. */
  readonly isRead: boolean;
  /** How often since `base` the input was not watched. */
  readonly gaps: number;
  /** The last comparison failed and nobody has changed the constant since. */
  readonly doubtful: boolean;
  /** When the reading of the configuration that was taken last was made. */
  readonly takenMs: WallMs;
}

/** Of what went through the meter. */
const TOLERANCE = 0.02;
/** A comparison over fewer pulses says nothing about the constant. */
const COMPARED_PULSES = 50;
/** Nor one over fewer steps of the register's last digit. */
const COMPARED_STEPS = 20;

export class PulseRegister {
  private readonly perPulse: number;
  private state: RegisterState;
  /** What the start brought to light. */
  readonly events: readonly MeterEvent[];

  /**
   * `unit` is one unit of the meter (kWh, m3) in the unit of the house (1000 Wh, 1 m3). A constant that was changed in
   * the configuration holds for the pulses from now on; what was counted before stays as it is.
   */
  constructor(constant: number, unit: number, before: RegisterState | null) {
    this.perPulse = unit / constant;
    if (!before) {
      this.state = { ...EMPTY, constant };
      this.events = [];
      return;
    }
    const changed = before.constant !== constant;
    const counted = (before.pulses - before.base.atPulses) * (unit / before.constant);
    const base = changed ? { value: before.base.value + counted, atPulses: before.pulses } : before.base;
    // The old constant was wrong for as long as it was used: the next comparison would blame the new one.
    const isRead = before.isRead && !changed;
    this.state = {
      ...before,
      constant,
      base,
      isRead,
      gaps: before.gaps + 1,
      doubtful: before.doubtful && !changed,
    };
    this.events = changed
      ? [{ code: 'CONSTANT_CHANGED', atMs: null, detail: { before: before.constant, now: constant } }]
      : [];
  }

  get kept(): RegisterState {
    return this.state;
  }

  /** In the unit of the house. */
  get value(): number {
    const { base, pulses } = this.state;
    return Number((base.value + (pulses - base.atPulses) * this.perPulse).toPrecision(15));
  }

  get valuePerPulse(): number {
    return this.perPulse;
  }

  count(): void {
    this.state = { ...this.state, pulses: this.state.pulses + 1 };
  }

  /** The input was not watched for a while. */
  missed(): void {
    this.state = { ...this.state, gaps: this.state.gaps + 1 };
  }

  /** A person read `value` off the meter; taken once. */
  readByHand(value: number, step: number, atMs: WallMs): readonly MeterEvent[] {
    if (atMs <= this.state.takenMs) return [];
    const events = this.compare(value, step);
    this.rebase(value, events);
    this.state = { ...this.state, takenMs: atMs };
    return events;
  }

  /** Another port of the same meter shows its register: compared when enough went through the meter to judge. */
  readByPort(value: number, step: number): readonly MeterEvent[] {
    const { base, isRead } = this.state;
    const through = value - base.value;
    const least = Math.max(COMPARED_STEPS * step, COMPARED_PULSES * this.perPulse);
    if (isRead && through >= 0 && through < least) return [];
    const events = this.compare(value, step);
    this.rebase(value, events);
    return events;
  }

  private compare(value: number, step: number): MeterEvent[] {
    const { base, isRead, gaps, pulses, constant } = this.state;
    const detail = { register: value, counted: this.value };
    if (!isRead) return [];
    if (value < base.value) return [{ code: 'METER_REPLACED', atMs: null, detail }];
    const through = value - base.value;
    const counted = (pulses - base.atPulses) * this.perPulse;
    const allowed = TOLERANCE * through + 2 * this.perPulse + step;
    if (Math.abs(through - counted) <= allowed) return [];
    if (gaps > 0 && counted < through) return [{ code: 'PULSES_LOST', atMs: null, detail }];
    const steps = through / Math.max(step, this.perPulse);
    if (steps < COMPARED_STEPS) return [];
    const measured = (pulses - base.atPulses) / (through / (this.perPulse * constant));
    return [
      {
        code: 'CONSTANT_CHANGED',
        atMs: null,
        detail: { ...detail, constant, measured: Number(measured.toPrecision(3)) },
      },
    ];
  }

  private rebase(value: number, events: readonly MeterEvent[]): void {
    const doubtful = events.some((e) => e.code === 'CONSTANT_CHANGED');
    const base = { value, atPulses: this.state.pulses };
    this.state = { ...this.state, base, isRead: true, gaps: 0, doubtful };
  }
}

const EMPTY: Omit<RegisterState, 'constant'> = {
  pulses: 0,
  base: { value: 0, atPulses: 0 },
  isRead: false,
  gaps: 0,
  doubtful: false,
  takenMs: 0,
};

/** Null for a text that is not what was kept. */
export function readKept(text: string | null): RegisterState | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as Partial<RegisterState> | null;
    const { pulses, constant, base, isRead, gaps, doubtful, takenMs } = kept ?? {};
    const numbers = [pulses, constant, base?.value, base?.atPulses, gaps, takenMs];
    if (!numbers.every(Number.isFinite) || !constant || typeof isRead !== 'boolean') return null;
    return { ...(kept as RegisterState), doubtful: doubtful === true };
  } catch {
    return null;
  }
}
