/**
 * The ciphers of M-Bus and OMS on node:crypto: AES-128-CBC (mode 5, 7), AES-128-CTR (extended link layer),
 * CMAC (RFC 4493) and the key derivation of OMS volume 2, 9.1. Nothing here is ever put into a message.
 *
 * Setting a cipher up costs ten times what a telegram's blocks cost. So the bare block cipher is kept with its key, for
 * as long as somebody holds that key, and the modes are made around it here.
 */
import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type Decipheriv,
  type KeyObject,
} from 'node:crypto';
import { NOTHING } from '../bytes.ts';

const BLOCK = 16;
const ZERO = new Uint8Array(BLOCK);

const decryptors = new WeakMap<Uint8Array, Decipheriv>();
const encryptors = new WeakMap<Uint8Array, Cipheriv>();
const authenticators = new WeakMap<Uint8Array, Authenticator>();

function keptWith<T>(kept: WeakMap<Uint8Array, T>, key: Uint8Array, make: (key: Uint8Array) => T): T {
  const found = kept.get(key) ?? make(key);
  kept.set(key, found);
  return found;
}

/** Node takes four times as long to set a cipher up from bare bytes. */
const secret = (key: Uint8Array): KeyObject => createSecretKey(key);
const ecbDecryptor = (key: Uint8Array): Decipheriv =>
  createDecipheriv('aes-128-ecb', secret(key), NOTHING).setAutoPadding(false);
const ecbEncryptor = (key: Uint8Array): Cipheriv =>
  createCipheriv('aes-128-ecb', secret(key), NOTHING).setAutoPadding(false);

/** Whole blocks only; what is left of the input is not touched and not returned. */
export function cbcDecrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const whole = data.subarray(0, data.length - (data.length % BLOCK));
  const clear = keptWith(decryptors, key, ecbDecryptor).update(whole);
  for (let i = 0; i < clear.length; i++)
    clear[i] = (clear[i] ?? 0) ^ ((i < BLOCK ? iv[i] : whole[i - BLOCK]) ?? 0);
  return clear;
}

export function ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array {
  const counters = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
  const next = Uint8Array.from(counter);
  for (let at = 0; at < counters.length; at += BLOCK) {
    counters.set(next, at);
    increment(next);
  }
  const stream = keptWith(encryptors, key, ecbEncryptor).update(counters);
  return data.map((byte, i) => byte ^ (stream[i] ?? 0));
}

/** Big-endian. */
function increment(counter: Uint8Array): void {
  for (let i = BLOCK - 1; i >= 0; i--) {
    counter[i] = ((counter[i] ?? 0) + 1) & 0xff;
    if (counter[i] !== 0) return;
  }
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

/** CMAC of one key. Its CBC goes on from message to message: each begins by undoing the last block before it. */
class Authenticator {
  private readonly cipher: Cipheriv;
  private readonly complete: Uint8Array;
  private readonly padded: Uint8Array;
  private last: Uint8Array;

  constructor(key: Uint8Array) {
    this.cipher = createCipheriv('aes-128-cbc', secret(key), ZERO).setAutoPadding(false);
    this.last = this.cipher.update(ZERO);
    this.complete = doubled(this.last);
    this.padded = doubled(this.complete);
  }

  mac(message: Uint8Array): Uint8Array {
    const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
    const input = new Uint8Array(blocks * BLOCK);
    input.set(message);
    const isWhole = message.length === input.length;
    if (!isWhole) input[message.length] = 0x80;
    const mask = isWhole ? this.complete : this.padded;
    const end = input.length - BLOCK;
    for (let i = 0; i < BLOCK; i++) {
      input[end + i] = (input[end + i] ?? 0) ^ (mask[i] ?? 0);
      input[i] = (input[i] ?? 0) ^ (this.last[i] ?? 0);
    }
    this.last = this.cipher.update(input).subarray(end);
    return this.last;
  }
}

/** AES-CMAC, RFC 4493: 16 bytes. */
export function cmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return keptWith(authenticators, key, (k) => new Authenticator(k)).mac(message);
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
