/** An encoder of its own, after SML 1.04: elements, messages with checksum, transport with doubled escapes. */
import { crc16Kermit, crc16X25 } from '../../firmware/codecs/crc16.ts';

export type Sum = 'x25' | 'kermit';
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const octets = (bytes: Uint8Array): Buffer => {
  const size = bytes.length + (bytes.length > 14 ? 2 : 1);
  const head = size > 15 ? [0x80 | (size >> 4), size & 15] : [size];
  return Buffer.concat([Buffer.from(head), bytes]);
};
export const list = (...items: Buffer[]): Buffer => {
  const n = items.length;
  return Buffer.concat([n > 15 ? Buffer.from([0xf0 | (n >> 4), n & 15]) : Buffer.from([0x70 | n]), ...items]);
};
export const absent = hex('01');
export const sum = (bytes: Buffer, kind: Sum): Buffer => {
  const out = Buffer.alloc(2);
  if (kind === 'x25') out.writeUInt16LE(crc16X25(bytes));
  else out.writeUInt16BE(crc16Kermit(bytes));
  return out;
};
export const message = (tag: string, body: Buffer, kind: Sum): Buffer => {
  const open = Buffer.concat([hex('76 05 00000001 6200 6200 72'), hex(tag), body]);
  const crc = sum(open, kind);
  const element = crc[0] === 0 ? Buffer.from([0x62, crc[1] ?? 0]) : Buffer.concat([hex('63'), crc]);
  return Buffer.concat([open, element, hex('00')]);
};
export const transport = (payload: Buffer, kind: Sum = 'x25'): Buffer => {
  const escaped = hex(payload.toString('hex').replace(/(?<=^(?:..)*)1b1b1b1b/g, '1b1b1b1b1b1b1b1b'));
  const fill = (4 - (escaped.length % 4)) % 4;
  const line = Buffer.concat([
    hex('1b1b1b1b 01010101'),
    escaped,
    Buffer.alloc(fill),
    hex('1b1b1b1b 1a'),
    Buffer.from([fill]),
  ]);
  return Buffer.concat([line, sum(line, kind)]);
};
export const entry = (obis: string, unit: string, scaler: string, value: string, status = '01'): Buffer =>
  list(hex(obis), hex(status), absent, hex(unit), hex(scaler), hex(value), absent);

export const ENTRIES = [
  entry('07 0100603201 01', '01', '01', '04 454d48'),
  entry('07 0100010800 ff', '62 1e', '52 ff', '56 0102030405', '63 0182'),
  entry('07 0100020800 ff', '62 1e', '52 03', '59 7fffffffffffffff'),
  entry('07 0100100700 ff', '62 1b', '52 fe', '54 ff8001'),
  entry('07 0100200700 ff', '62 23', '52 ff', '63 08fd'),
  entry('07 0100600500 ff', '01', '01', '05 1b1b1b1b'),
  entry('07 01000d0700 ff', '62 ff', '52 fd', '53 03e7'),
  entry('07 0100480700 ff', '62 23', '52 ff', '01'),
];
const SERVER = hex('0a01454d480000a1bd34');
export const file = (
  entries: readonly Buffer[],
  { server = SERVER, kind = 'x25' as Sum, time = hex('72 6202 65 69000000'), tag = '63 0701' } = {},
): Buffer =>
  Buffer.concat([
    message('63 0101', list(absent, absent, octets(hex('01')), octets(server), absent, absent), kind),
    message(tag, list(absent, octets(server), absent, time, list(...entries), absent, absent), kind),
    message('63 0201', list(absent), kind),
  ]);
