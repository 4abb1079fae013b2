/** What a probe finds, and how far it has come. */
import type { Fault } from '../../domain/errors.ts';
import type { LineSettings, Link } from '../../domain/link.ts';
import type { MeterIdentity } from '../../domain/telegram.ts';
import type { MeterProtocol } from '../registry.ts';

export interface ControlLines {
  readonly dtr: boolean;
  readonly rts: boolean;
}

/** The port that is probed. */
export interface ProbePort {
  readonly name: string;
  /** False for a TCP stream: the far side has its speed. */
  readonly canChangeSpeed: boolean;
  link(line: LineSettings, lines?: ControlLines): Link;
}

export interface Finding {
  /** For people: `SML`, `P1 (DSMR)`. */
  readonly speaks: string;
  readonly meter: MeterIdentity | null;
  /** How it is configured; null for what can be recognised and not read yet. */
  readonly config: {
    readonly protocol: MeterProtocol;
    readonly line: LineSettings;
    readonly lines?: ControlLines;
    readonly needsKey: boolean;
    /** Of a meter that is asked over DLMS: what differs from the defaults of its section. */
    readonly dlms?: object;
    /** Of a meter on an M-Bus. */
    readonly address?: string;
    readonly mbus?: object;
  } | null;
  /** Values in the first telegram. */
  readonly readings: number;
  /** What else a person should know, a sentence each. */
  readonly remarks: readonly string[];
}

export interface ProbeReport {
  readonly finding: Finding | null;
  /** Why nothing was found. */
  readonly diagnosis: Fault | null;
}

/** Tells what is tried now; `of` steps are there if none of them finds anything. */
export type Progress = (step: number, of: number, text: string) => void;

export const line = (baudRate: number, form: '8N1' | '7E1' | '8E1' = '8N1'): LineSettings => ({
  baudRate,
  dataBits: form === '7E1' ? 7 : 8,
  parity: form === '8N1' ? 'none' : 'even',
  stopBits: 1,
});

export const nameOf = ({ baudRate, dataBits, parity, stopBits }: LineSettings): string =>
  `${baudRate} baud ${dataBits}${parity === 'none' ? 'N' : parity === 'even' ? 'E' : 'O'}${stopBits}`;
