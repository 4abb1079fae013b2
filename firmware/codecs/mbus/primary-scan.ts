/** The scan of the primary addresses 0 to 250 as a pure machine: SND_NKE, and data from whoever acknowledges. */
import { addressIn } from './address-in.ts';
import type { Outcome, Request } from './exchange.ts';
import type { Address } from './identity.ts';
import { ADDRESS, reqUd2, sndNke } from './requests.ts';

export interface PrimaryMeter {
  readonly primary: number;
  /** Null where its data carries none, or there is no data. */
  readonly address: Address | null;
  /** `several`: the address was given twice. `mute`: it acknowledges and gives no data. */
  readonly state: 'good' | 'several' | 'mute';
}

export interface ScanState {
  readonly name: 'idle' | 'resetting' | 'asking' | 'done';
  readonly at: number;
  readonly found: readonly PrimaryMeter[];
  readonly requests: number;
}

export interface ScanStep {
  readonly state: ScanState;
  readonly request: Request | null;
}

/** A frame can be lost: who is silent is asked once more. */
const ATTEMPTS = 2;

export const newScan = (): ScanState => ({ name: 'idle', at: 0, found: [], requests: 0 });

/** Begin with outcome null. */
export function step(state: ScanState, outcome: Outcome | null): ScanStep {
  if (state.name === 'done') return { state, request: null };
  if (state.name === 'idle' || outcome === null) return reset(state);
  if (state.name === 'asking') return next(state, verdict(state.at, outcome));
  return outcome.kind === 'silent' ? next(state, null) : ask(state);
}

function reset(state: ScanState): ScanStep {
  return {
    state: { ...state, name: 'resetting', requests: state.requests + 1 },
    request: { bytes: sndNke(state.at), expect: 'ack', from: null, attempts: ATTEMPTS },
  };
}

function ask(state: ScanState): ScanStep {
  return {
    state: { ...state, name: 'asking', requests: state.requests + 1 },
    request: { bytes: reqUd2(state.at, true), expect: 'data', from: state.at, attempts: ATTEMPTS },
  };
}

function verdict(primary: number, outcome: Outcome): PrimaryMeter {
  if (outcome.kind === 'garbled') return { primary, address: null, state: 'several' };
  if (outcome.kind !== 'frame') return { primary, address: null, state: 'mute' };
  return { primary, address: addressIn(outcome.frame), state: 'good' };
}

function next(state: ScanState, meter: PrimaryMeter | null): ScanStep {
  const found = meter ? [...state.found, meter] : state.found;
  if (state.at >= ADDRESS.lastPrimary) return { state: { ...state, name: 'done', found }, request: null };
  return reset({ ...state, at: state.at + 1, found });
}
