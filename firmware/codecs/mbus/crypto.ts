/**
 * The ciphers of M-Bus and OMS on node:crypto: AES-128-CBC (mode 5, 7), AES-128-CTR (extended link layer),
 * CMAC (RFC 4493) and the key derivation of OMS volume 2, 9.1. Nothing here is ever put into a message.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

const BLOCK = 16;

/** Whole blocks only; what is left of the input is not touched and not returned. */
export function cbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
  const whole = data.subarray(0, data.length - (data.length % BLOCK));
  return Buffer.concat([decipher.update(whole), decipher.final()]);
}

export function ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array {
  return createDecipheriv('aes-128-ctr', key, counter).update(data);
}

/** DES-CBC (mode 2, withdrawn) by the triple cipher with three equal keys, which is the same function. */
export function desDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('des-ede3-cbc', Buffer.concat([key, key, key]), iv).setAutoPadding(false);
  const whole = data.subarray(0, data.length - (data.length % 8));
  return Buffer.concat([decipher.update(whole), decipher.final()]);
}

function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = ((block[i] ?? 0) << 1) | ((block[i + 1] ?? 0) >> 7);
  if ((block[0] ?? 0) & 0x80) out[BLOCK - 1] = (out[BLOCK - 1] ?? 0) ^ 0x87;
  return out;
}

/** AES-CMAC, RFC 4493: 16 bytes. */
export function cmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const zero = new Uint8Array(BLOCK);
  const first = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(zero);
  const k1 = doubled(first);
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
  const padded = new Uint8Array(blocks * BLOCK);
  padded.set(message);
  const complete = message.length > 0 && message.length % BLOCK === 0;
  if (!complete) padded[message.length] = 0x80;
  const mask = complete ? k1 : doubled(k1);
  const last = (blocks - 1) * BLOCK;
  for (let i = 0; i < BLOCK; i++) padded[last + i] = (padded[last + i] ?? 0) ^ (mask[i] ?? 0);
  const all = createCipheriv('aes-128-cbc', key, zero).setAutoPadding(false).update(padded);
  return all.subarray(last);
}

/** OMS key derivation: CMAC(master, DC ‖ counter (4) ‖ identification (4) ‖ 07 × 7). DC 0 encrypts, 1 authenticates. */
export function deriveKey(
  master: Uint8Array,
  purpose: 0 | 1,
  counter: Uint8Array,
  id: Uint8Array,
): Uint8Array {
  const input = new Uint8Array(BLOCK).fill(7);
  input[0] = purpose;
  input.set(counter.subarray(0, 4), 1);
  input.set(id.subarray(0, 4), 5);
  return cmac(master, input);
}
