/** Wireless telegrams as meters send them: layers around records, with and without security and link-layer CRCs. */
import { createCipheriv } from 'node:crypto';
import { joined } from '../../firmware/codecs/bytes.ts';
import { cmac, deriveKey } from '../../firmware/codecs/mbus/crypto.ts';
import { crc13757 } from '../../firmware/codecs/wmbus/crc.ts';

export const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** KAM 12345678, version 1Bh, water. */
export const KAMSTRUP = hex('2D2C 78563412 1B 07');

/** `address` as on the air: manufacturer, identification, version, device type. */
export function wireless(address: Uint8Array, ...layers: readonly Uint8Array[]): Uint8Array {
  const body = joined(Uint8Array.of(0x44), address, ...layers);
  return joined(Uint8Array.of(body.length), body);
}

export const crcBytes = (bytes: Uint8Array): Uint8Array => {
  const crc = crc13757(bytes);
  return Uint8Array.of(crc >> 8, crc & 255);
};

export function formatA(frame: Uint8Array): Uint8Array {
  const blocks = [frame.subarray(0, 10)];
  for (let at = 10; at < frame.length; at += 16) blocks.push(frame.subarray(at, at + 16));
  return joined(...blocks.flatMap((block) => [block, crcBytes(block)]));
}

export function formatB(frame: Uint8Array): Uint8Array {
  const sized = Uint8Array.from(frame);
  sized[0] = (sized[0] ?? 0) + 2;
  return joined(sized, crcBytes(sized));
}

export const cbc = (key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array =>
  createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false).update(data);

/** Two idle fillers before, as many as whole blocks need behind. */
function idlePadded(records: Uint8Array): Uint8Array {
  const length = Math.ceil((records.length + 2) / 16) * 16;
  return joined(hex('2F2F'), records, new Uint8Array(length - records.length - 2).fill(0x2f));
}

/** Security mode 5. */
export function mode5(
  address: Uint8Array,
  key: Uint8Array,
  accessNumber: number,
  records: Uint8Array,
): Uint8Array {
  const clear = idlePadded(records);
  const header = Uint8Array.of(0x7a, accessNumber, 0, clear.length, 5);
  return wireless(address, header, cbc(key, joined(address, new Uint8Array(8).fill(accessNumber)), clear));
}

/** Security mode 7 behind a fragmentation layer with message counter and authentication code. */
export function mode7(
  address: Uint8Array,
  key: Uint8Array,
  messageCounter: number,
  records: Uint8Array,
): Uint8Array {
  const counter = new Uint8Array(4);
  new DataView(counter.buffer).setUint32(0, messageCounter, true);
  const id = address.subarray(2, 6);
  const clear = idlePadded(records);
  const access = messageCounter & 255;
  const header = Uint8Array.of(0x7a, access, 0, clear.length, 0x07, 0x10);
  const layer = joined(header, cbc(deriveKey(key, 0, counter, id), new Uint8Array(16), clear));
  const mac = cmac(deriveKey(key, 1, counter, id), joined(hex('25'), counter, layer)).subarray(0, 8);
  return wireless(address, Uint8Array.of(0x8c, 0x20, access), hex('900F002C25'), counter, mac, layer);
}

/** Bits 29 to 31 of a session number: encrypted in counter mode. */
const COUNTER_MODE = 0x2000_0000;

function session(minutes: number, encryption: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, minutes * 16 + encryption, true);
  return bytes;
}

/** The payload CRC of an extended link layer, low byte first, and what it is over. */
function checked(inner: Uint8Array): Uint8Array {
  const crc = crcBytes(inner);
  return joined(Uint8Array.of(crc[1] ?? 0, crc[0] ?? 0), inner);
}

/** The extended link layer's counter mode; `minutes` is the message counter. */
export function counterMode(
  address: Uint8Array,
  key: Uint8Array,
  minutes: number,
  inner: Uint8Array,
): Uint8Array {
  const number = session(minutes, COUNTER_MODE);
  const iv = joined(address, hex('20'), number, new Uint8Array(3));
  const sealed = createCipheriv('aes-128-ctr', key, iv).update(checked(inner));
  return wireless(address, Uint8Array.of(0x8d, 0x20, minutes & 255), number, sealed);
}

/** The same layer without encryption. */
export function clearSession(address: Uint8Array, minutes: number, inner: Uint8Array): Uint8Array {
  return wireless(address, Uint8Array.of(0x8d, 0x20, minutes & 255), session(minutes, 0), checked(inner));
}
