/**
 * Würth (Amber) AMB8465 and its family: `FF command length payload XOR`. With command output (the module's parameter
 * 5) a telegram comes so, from its C field on; without, as it is from its L field on. Behind it stands the strength of
 * the signal where parameter 69 says so: it is asked for, and taken to be on until the module has answered.
 */
import { fault } from '../../../domain/errors.ts';
import { type Found, FramedDecoder } from './framed.ts';
import { findBare } from './rc1180.ts';
import {
  cc1101_dBm,
  eightN1,
  type RadioMode,
  type RadioTelegram,
  type ReceiverProtocol,
} from './receiver.ts';

const START = 0xff;
const TELEGRAM = 0x03;
const SET_MODE = 0x04;
const GET = 0x0a;
const SIGNAL_PARAMETER = 69;
const ANSWER = 0x80;
const HEADER = 3;

/** The module's names: S2, T2-Other, C2-Other, C2/T2-Other; those of a collector that answers nothing. */
const MODES: Readonly<Record<RadioMode, number>> = { S1: 0x03, T1: 0x08, C1: 0x0e, 'C1+T1': 0x09 };

const xor = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

/** What the module has said of parameter 69. */
interface Module {
  hasSignal: boolean;
}

function find(bytes: Uint8Array, module: Module): Found {
  const [start, command = 0, length = 0] = bytes;
  if (start !== START) return findBare(bytes);
  if (bytes.length < HEADER || bytes.length < HEADER + length + 1) return { is: 'more' };
  const total = HEADER + length + 1;
  if (xor(bytes.subarray(0, total)) !== 0) {
    return { is: 'none', reason: fault('BAD_CHECKSUM', 'the check of a message of the receiver is wrong') };
  }
  const payload = bytes.subarray(HEADER, HEADER + length);
  if (command === (GET | ANSWER)) learn(payload, module);
  if (command & ANSWER) return { is: 'frame', frame: { kind: 'answer', to: `${command}` }, length: total };
  if (command !== TELEGRAM || length < 2) return { is: 'other', length: total };
  return { is: 'frame', frame: telegramOf(payload, module), length: total };
}

/** First parameter, how many, their values. */
function learn([first = 0, count = 0, ...values]: Uint8Array, module: Module): void {
  const value = values[SIGNAL_PARAMETER - first];
  if (value !== undefined && SIGNAL_PARAMETER < first + count) module.hasSignal = value !== 0;
}

function telegramOf(payload: Uint8Array, { hasSignal }: Module): RadioTelegram {
  const end = payload.length - (hasSignal ? 1 : 0);
  const bytes = Uint8Array.of(end, ...payload.subarray(0, end));
  const signal_dBm = end < payload.length ? cc1101_dBm(payload[end] ?? 0) : null;
  return { kind: 'telegram', bytes, crc: 'none', signal_dBm };
}

function command(code: number, ...payload: number[]): Uint8Array {
  const bytes = Uint8Array.of(START, code, payload.length, ...payload);
  return Uint8Array.of(...bytes, xor(bytes));
}

export const amb8465: ReceiverProtocol = {
  line: eightN1(9600),
  decoder: () => {
    const module: Module = { hasSignal: true };
    return new FramedDecoder((bytes) => find(bytes, module));
  },
  setup: (mode) => [
    { send: command(GET, SIGNAL_PARAMETER, 1), answer: `${GET | ANSWER}`, optional: true },
    { send: command(SET_MODE, MODES[mode]), answer: `${SET_MODE | ANSWER}` },
  ],
};
