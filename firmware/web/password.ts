/**
 * The owner's password. scrypt with N 2^14, r 8, p 5 (OWASP's equal of 2^17/8/1): 16 MB at a time instead of 128,
 * so that a board with 512 MB can check it while it runs the house. Parameters are kept with the hash, so that
 * they can rise later.
 */
import { createHash, scrypt, timingSafeEqual } from 'node:crypto';
import { HearthError, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import type { Settings } from '../domain/storage.ts';

/** The setting that holds it; removed by `hearth owner reset`. */
export const PASSWORD_SETTING = 'web.password';
const COST = { log2N: 14, r: 8, p: 5 } as const;
const KEY_bytes = 32;
const SALT_bytes = 16;

export class OwnerPassword {
  readonly #settings: Settings;
  readonly #random: Random;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: Settings, random: Random) {
    this.#settings = settings;
    this.#random = random;
  }

  get isSet(): boolean {
    return this.#settings.get(PASSWORD_SETTING) !== null;
  }

  /**
   * Sets it once. ALREADY_DONE when there is one; TOO_MANY when too many checks are waiting; STORE_UNREACHABLE while
   * the disk cannot be read, on which there may be one.
   */
  async setFirst(password: string): Promise<Result<null>> {
    if (this.#settings.isKnown?.() === false)
      return refuse('STORE_UNREACHABLE', 'the disk cannot be read; there may be a password on it');
    if (this.isSet) return refuse('ALREADY_DONE', 'the password is already set');
    return this.#inTurn(async () => {
      const hash = await this.#hash(password);
      // Two people may have opened the set-up page at once: the first wins.
      if (this.isSet) return refuse('ALREADY_DONE', 'the password is already set');
      this.#settings.set(PASSWORD_SETTING, hash);
      return { ok: true, value: null };
    });
  }

  /** Sets another; who asks has proved to know the present one. TOO_MANY when too many checks are waiting. */
  replace(password: string): Promise<Result<null>> {
    return this.#inTurn(async () => {
      this.#settings.set(PASSWORD_SETTING, await this.#hash(password));
      return { ok: true, value: null };
    });
  }

  async #hash(password: string): Promise<string> {
    const salt = this.#random.bytes(SALT_bytes);
    const key = await derive(password, salt, COST.log2N, COST.r, COST.p);
    return ['scrypt', COST.log2N, COST.r, COST.p, hex(salt), hex(key)].join('$');
  }

  /** NOT_AUTHENTICATED when it is another; TOO_MANY when too many checks are waiting. */
  check(password: string): Promise<Result<null>> {
    return this.#inTurn(async () => {
      const [scheme, log2N, r, p, salt = '', key = ''] = (this.#settings.get(PASSWORD_SETTING) ?? '').split(
        '$',
      );
      if (scheme !== 'scrypt') return refuse('NOT_AUTHENTICATED', 'no password is set');
      const got = await derive(password, Buffer.from(salt, 'hex'), Number(log2N), Number(r), Number(p));
      const want = Buffer.from(key, 'hex');
      const same = want.length === got.length && timingSafeEqual(got, want);
      return same ? { ok: true, value: null } : refuse('NOT_AUTHENTICATED', 'this is not the password');
    });
  }

  /** One derivation at a time bounds memory and leaves a core for the house; a few may wait. */
  async #inTurn<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#waiting >= LIMITS.passwordChecks) return refuse('TOO_MANY');
    this.#waiting += 1;
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** Hashed first, so that neither length nor content shows in the time it takes. */
export function sameText(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The same letters typed on another keyboard may arrive composed or not: NFKC makes them one. */
function derive(password: string, salt: Uint8Array, log2N: number, r: number, p: number): Promise<Buffer> {
  const options = { N: 2 ** log2N, r, p, maxmem: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_bytes, options, (error, key) => {
      if (error) reject(new HearthError('INTERNAL', 'the password cannot be derived', error));
      else resolve(key);
    });
  });
}
