/**
 * IMST iM871A and iM170A, host controller interface: `A5 control|endpoint message length payload
 * [time 4] [signal 1] [CRC16 2]`. Bits of the control nibble say which attachments follow; the CRC is that of X.25,
 * from the byte after A5h. A telegram comes from its C field on, without link-layer CRCs.
 */
import { fault } from '../../../domain/errors.ts';
import { crc16X25 } from '../../crc16.ts';
import { type Found, FramedDecoder } from './framed.ts';
import { eightN1, type RadioMode, type ReceiverProtocol } from './receiver.ts';

const START = 0xa5;
const DEVICE = 1;
const RADIO = 2;
const MAX_ENDPOINT = 4;
const SET_CONFIG = 0x03;
const TELEGRAM = 0x03;
const HAS_TIME = 0x20;
const HAS_SIGNAL = 0x40;
const HAS_CRC = 0x80;
const HEADER = 4;

const MODES: Readonly<Record<RadioMode, number>> = { S1: 0, T1: 3, C1: 6, 'C1+T1': 10 };

/** Silicon Labs Si1002, figure 7-3: 45 is −100 dBm, half a decibel a step, 0 dBm at most. */
const signalOf = (raw: number): number => Math.min(0, -100 + (raw - 45) / 2);

function find(bytes: Uint8Array): Found {
  const [start, control = 0, message = 0, length = 0] = bytes;
  if (start !== START) return { is: 'none', reason: null };
  if (bytes.length < HEADER) return { is: 'more' };
  const endpoint = control & 15;
  if (endpoint < DEVICE || endpoint > MAX_ENDPOINT) return { is: 'none', reason: null };
  const signalAt = HEADER + length + (control & HAS_TIME ? 4 : 0);
  const crcAt = signalAt + (control & HAS_SIGNAL ? 1 : 0);
  const total = crcAt + (control & HAS_CRC ? 2 : 0);
  if (bytes.length < total) return { is: 'more' };
  if (control & HAS_CRC) {
    const stated = (bytes[crcAt] ?? 0) | ((bytes[crcAt + 1] ?? 0) << 8);
    if (crc16X25(bytes.subarray(1, crcAt)) !== stated) {
      return { is: 'none', reason: fault('BAD_CHECKSUM', 'the CRC of a message of the receiver is wrong') };
    }
  }
  if (endpoint === DEVICE)
    return { is: 'frame', frame: { kind: 'answer', to: `device ${message}` }, length: total };
  if (endpoint !== RADIO || message !== TELEGRAM) return { is: 'other', length: total };
  const telegram = Uint8Array.of(length, ...bytes.subarray(HEADER, HEADER + length));
  const signal_dBm = control & HAS_SIGNAL ? signalOf(bytes[signalAt] ?? 0) : null;
  return {
    is: 'frame',
    frame: { kind: 'telegram', bytes: telegram, crc: 'none', signal_dBm },
    length: total,
  };
}

/** Until the next restart of the module: the link mode, and the strength of the signal with each telegram. */
const setMode = (mode: RadioMode): Uint8Array =>
  Uint8Array.of(START, DEVICE, SET_CONFIG, 6, 0, 0x02, MODES[mode], 0x30, 1, 0);

export const im871a: ReceiverProtocol = {
  line: eightN1(57_600),
  decoder: () => new FramedDecoder(find),
  setup: (mode) => [{ send: setMode(mode), answer: `device ${SET_CONFIG + 1}` }],
};
