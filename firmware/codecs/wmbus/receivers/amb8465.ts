/**
 * Würth (Amber) AMB8465 and its family: `FF command length payload XOR`. With command output (the module's parameter
 * 5) a telegram comes so, from its C field on, the strength of the signal behind it; without, as it is from its
 * L field on. Both are read.
 */
import { fault } from '../../../domain/errors.ts';
import { type Found, FramedDecoder } from './framed.ts';
import { findBare } from './rc1180.ts';
import { cc1101_dBm, eightN1, type RadioMode, type ReceiverProtocol } from './receiver.ts';

const START = 0xff;
const TELEGRAM = 0x03;
const SET_MODE = 0x04;
const ANSWER = 0x80;
const HEADER = 3;

/** The module's names: S2, T2-Other, C2-Other, C2/T2-Other; those of a collector that answers nothing. */
const MODES: Readonly<Record<RadioMode, number>> = { S1: 0x03, T1: 0x08, C1: 0x0e, 'C1+T1': 0x09 };

const xor = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

function find(bytes: Uint8Array): Found {
  const [start, command = 0, length = 0] = bytes;
  if (start !== START) return findBare(bytes);
  if (bytes.length < HEADER || bytes.length < HEADER + length + 1) return { is: 'more' };
  const total = HEADER + length + 1;
  if (xor(bytes.subarray(0, total)) !== 0) {
    return { is: 'none', reason: fault('BAD_CHECKSUM', 'the check of a message of the receiver is wrong') };
  }
  if (command & ANSWER) return { is: 'frame', frame: { kind: 'answer', to: `${command}` }, length: total };
  if (command !== TELEGRAM || length < 2) return { is: 'other', length: total };
  const telegram = Uint8Array.of(length - 1, ...bytes.subarray(HEADER, HEADER + length - 1));
  const signal_dBm = cc1101_dBm(bytes[HEADER + length - 1] ?? 0);
  return {
    is: 'frame',
    frame: { kind: 'telegram', bytes: telegram, crc: 'none', signal_dBm },
    length: total,
  };
}

function setMode(mode: RadioMode): Uint8Array {
  const bytes = Uint8Array.of(START, SET_MODE, 1, MODES[mode]);
  return Uint8Array.of(...bytes, xor(bytes));
}

export const amb8465: ReceiverProtocol = {
  line: eightN1(9600),
  decoder: () => new FramedDecoder(find),
  setup: (mode) => [{ send: setMode(mode), answer: `${SET_MODE | ANSWER}` }],
};
