/** What every radio receiver gives: telegrams, and answers to what it was told. One file a make beside this one. */
import type { LineSettings } from '../../../domain/link.ts';
import type { Decoder } from '../../../domain/telegram.ts';
import type { CrcForm } from '../link.ts';

/** Modes of EN 13757-4 that meters send by themselves in; `C1` stands for both frame formats. */
export type RadioMode = 'S1' | 'T1' | 'C1' | 'C1+T1';

export interface RadioTelegram {
  readonly kind: 'telegram';
  /** From the L field on. */
  readonly bytes: Uint8Array;
  /** Whether the link-layer CRCs are still in, as far as the receiver says. */
  readonly crc: CrcForm | 'auto';
  /** Null where the receiver does not say. */
  readonly signal_dBm: number | null;
}

export interface ReceiverAnswer {
  readonly kind: 'answer';
  /** The name that a setup step waits for. */
  readonly to: string;
}

export type ReceiverFrame = RadioTelegram | ReceiverAnswer;

/** One command and the answer that confirms it; null where the receiver says nothing to it. */
export interface SetupStep {
  readonly send: Uint8Array;
  readonly answer: string | null;
  /** It is listened to as well when it does not answer to this. */
  readonly optional?: true;
}

export interface ReceiverProtocol {
  /** Of its serial port. */
  readonly line: LineSettings;
  readonly decoder: () => Decoder<ReceiverFrame>;
  /** What to tell it so that it receives a mode; null where it cannot. */
  readonly setup: (mode: RadioMode) => readonly SetupStep[] | null;
}

export const eightN1 = (baudRate: number): LineSettings => ({
  baudRate,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
});

/** RSSI byte of the TI CC1101 family: two's complement half decibels above −74 dBm. */
export const cc1101_dBm = (raw: number): number => (raw >= 128 ? raw - 256 : raw) / 2 - 74;
