/**
 * Sessions: a random token in the browser's cookie, its hash here. They are kept over a restart; a stolen
 * database opens no session. At most LIMITS.sessions: the oldest gives way.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import type { Settings } from '../domain/storage.ts';
import type { Clock, WallMs } from '../domain/time.ts';

export const SESSIONS_SETTING = 'web.sessions';
const TOKEN_bytes = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

const keptSchema = z.array(z.tuple([z.string(), z.number()])).max(LIMITS.sessions);

export class Sessions {
  readonly #settings: Settings;
  readonly #random: Random;
  readonly #clock: Clock;
  /** Hash → end, oldest first. */
  readonly #ends: Map<string, WallMs>;

  constructor(settings: Settings, random: Random, clock: Clock) {
    this.#settings = settings;
    this.#random = random;
    this.#clock = clock;
    this.#ends = new Map(load(settings.get(SESSIONS_SETTING)));
  }

  /** A new session; the returned token goes into the cookie and nowhere else. */
  open(): string {
    const token = Buffer.from(this.#random.bytes(TOKEN_bytes)).toString('base64url');
    const nowMs = this.#clock.wallMs();
    for (const [hash, endMs] of this.#ends) if (endMs <= nowMs) this.#ends.delete(hash);
    while (this.#ends.size >= LIMITS.sessions) {
      const [oldest] = this.#ends.keys();
      if (oldest === undefined) break;
      this.#ends.delete(oldest);
    }
    this.#ends.set(hashOf(token), nowMs + LIMITS.sessionMs);
    this.#save();
    return token;
  }

  /** The id (hash) of the session that a token belongs to, null when there is none or it is over. */
  find(token: string | undefined): string | null {
    if (token === undefined || !TOKEN.test(token)) return null;
    const id = hashOf(token);
    return this.isOpen(id) ? id : null;
  }

  isOpen(id: string): boolean {
    const endMs = this.#ends.get(id);
    return endMs !== undefined && this.#clock.wallMs() < endMs;
  }

  end(id: string): void {
    if (this.#ends.delete(id)) this.#save();
  }

  /** The password was changed: whoever knew the old one is out. */
  endAll(): void {
    this.#ends.clear();
    this.#save();
  }

  #save(): void {
    this.#settings.set(SESSIONS_SETTING, JSON.stringify([...this.#ends]));
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** What cannot be read is no session: everybody signs in again. */
function load(text: string | null): [string, WallMs][] {
  if (text === null) return [];
  try {
    const parsed = keptSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}
