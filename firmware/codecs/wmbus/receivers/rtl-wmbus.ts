/**
 * The text output of rtl-wmbus, for a receiver by software behind TCP or a pipe:
 * `MODE;CRC ok;3 of 6 ok;time;packet signal;signal;id;0xTELEGRAM`, without CRCs; a second telegram may follow on the
 * line. Which modes it receives is its command line's business.
 */
import { fault } from '../../../domain/errors.ts';
import type { Decoded } from '../../../domain/telegram.ts';
import { fromHex } from '../../bytes.ts';
import { LineDecoder } from './lines.ts';
import { eightN1, type ReceiverFrame, type ReceiverProtocol } from './receiver.ts';

const TELEGRAMS_A_LINE = 4;

function telegramOf(text: string): Decoded<ReceiverFrame> {
  const bytes = fromHex(text.slice(2));
  if (!bytes || bytes.length < 11) {
    return { ok: false, error: fault('CUT_FRAME', 'a telegram of rtl-wmbus is cut'), discarded: text.length };
  }
  // The strength of its signal is on a scale of the program's own.
  return { ok: true, frame: { kind: 'telegram', bytes, crc: 'none', signal_dBm: null } };
}

function read(line: string): readonly Decoded<ReceiverFrame>[] {
  const m = /^([STC])1;([01]);([01]);/.exec(line);
  if (!m) return [];
  if (m[2] !== '1' || m[3] !== '1') {
    const error = fault('BAD_CHECKSUM', 'rtl-wmbus reports a telegram with a wrong CRC');
    return [{ ok: false, error, discarded: line.length }];
  }
  const telegrams = line.split(';').filter((field) => field.startsWith('0x'));
  return telegrams.slice(0, TELEGRAMS_A_LINE).map(telegramOf);
}

export const rtlWmbus: ReceiverProtocol = {
  line: eightN1(115_200),
  decoder: () => new LineDecoder(read),
  setup: () => [],
};
