/**
 * Load admission: before a large load starts, the operator's power management is asked for it. It is a courtesy, not a
 * command: without an answer the load starts, and "later" is heeded as far as comfort allows.
 */
import type { WallMs } from './time.ts';

export interface AdmissionRequest {
  readonly device: string;
  readonly power_W: number;
  /** What it still wants; null is unknown. */
  readonly energy_Wh: number | null;
  /** The owner's: 0 is the most important. */
  readonly priority: number;
  /** It has to start by then; null: there is no hurry. */
  readonly latestStartMs: WallMs | null;
}

export type AdmissionState =
  | { readonly kind: 'asked'; readonly untilMs: WallMs }
  | { readonly kind: 'granted' }
  | { readonly kind: 'later'; readonly notBeforeMs: WallMs }
  /** Nobody answered in time: it may start. */
  | { readonly kind: 'unanswered' };

export interface Admissions {
  /** Who is asked, as the owner knows it. */
  readonly source: string;
  /** Loads of at least this are asked for. */
  readonly least_W: number;
  readonly byDevice: Readonly<Record<string, AdmissionState>>;
}
