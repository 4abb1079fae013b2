/**
 * CUL and others with culfw: a line `b` (format A) or `bY` (format B), the telegram in hexadecimal with its CRCs,
 * then link quality and strength of the signal, two digits each.
 */
import { fault } from '../../../domain/errors.ts';
import type { Decoded } from '../../../domain/telegram.ts';
import { fromHex } from '../../bytes.ts';
import { LineDecoder } from './lines.ts';
import {
  cc1101_dBm,
  eightN1,
  type RadioMode,
  type ReceiverFrame,
  type ReceiverProtocol,
} from './receiver.ts';

const ANSWER = /^(?:S|T|C)MODE$/;

function read(line: string): readonly Decoded<ReceiverFrame>[] {
  if (ANSWER.test(line)) return [{ ok: true, frame: { kind: 'answer', to: line } }];
  const m = /^b(Y?)([0-9A-F]+)$/i.exec(line);
  if (!m) return [];
  const bytes = fromHex(m[2] ?? '');
  if (!bytes || bytes.length < 12) {
    const error = fault('CUT_FRAME', 'a line of the receiver is not a whole telegram in hexadecimal');
    return [{ ok: false, error, discarded: line.length }];
  }
  const telegram = bytes.subarray(0, -2);
  const signal_dBm = cc1101_dBm(bytes.at(-1) ?? 0);
  const crc = m[1] === '' ? 'A' : 'B';
  return [{ ok: true, frame: { kind: 'telegram', bytes: telegram, crc, signal_dBm } }];
}

const LETTERS: Readonly<Record<RadioMode, string>> = { S1: 's', T1: 't', C1: 'c', 'C1+T1': 'c' };
const command = (text: string): Uint8Array => Buffer.from(`${text}\r\n`, 'latin1');

export const cul: ReceiverProtocol = {
  line: eightN1(38_400),
  decoder: () => new LineDecoder(read),
  // X21: report telegrams with link quality and strength of the signal.
  setup: (mode) => [
    { send: command(`br${LETTERS[mode]}`), answer: `${LETTERS[mode].toUpperCase()}MODE` },
    { send: command('X21'), answer: null },
  ],
};
