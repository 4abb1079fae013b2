/** The secrets that a configuration refers to: read once at start, never printed, never in the file itself. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { fromHex } from '../codecs/bytes.ts';
import { LIMITS } from '../domain/limits.ts';
import type { SecretRef } from './fields.ts';
import type { Mistake } from './mistake.ts';
import type { Config } from './schema.ts';

/** A text that shows itself to nobody who does not ask for it by name: not in a log, not in JSON, not in a trace. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Secrets by the path of the field that refers to them: `meters[0].key`. */
export type Secrets = ReadonlyMap<string, Secret>;

interface Wanted {
  readonly path: string;
  readonly reference: SecretRef;
  /** Lengths in bytes that a key in hexadecimal digits may have; null for any text. */
  readonly keyLengths: readonly number[] | null;
}

/** AES-128. */
const KEY = [16];
/** Some makers of wireless meters have ciphers of their own, with keys of eight bytes. */
const RADIO_KEY = [16, 8];

/** All secrets at once, or every one that is missing or is no key. */
export function readSecrets(
  config: Config,
  base: string,
  env: NodeJS.ProcessEnv,
): { readonly ok: true; readonly secrets: Secrets } | { readonly ok: false; readonly mistakes: Mistake[] } {
  const secrets = new Map<string, Secret>();
  const mistakes = secretsOf(config).flatMap((wanted) => {
    const text = resolve(wanted.reference, base, env);
    if (text === null) return { path: wanted.path, message: missing(wanted.reference) };
    if (wanted.keyLengths && !wanted.keyLengths.includes(fromHex(text)?.length ?? 0)) {
      const digits = wanted.keyLengths.map((bytes) => 2 * bytes).join(' or ');
      return { path: wanted.path, message: `expected a key of ${digits} hexadecimal digits` };
    }
    secrets.set(wanted.path, new Secret(text));
    return [];
  });
  return mistakes.length === 0 ? { ok: true, secrets } : { ok: false, mistakes };
}

function secretsOf({ mqtt, web, meters }: Config): Wanted[] {
  const text = (where: string, reference: SecretRef | undefined): Wanted[] =>
    reference ? [{ path: where, reference, keyLengths: null }] : [];
  const key = (where: string, reference: SecretRef | undefined, keyLengths = KEY): Wanted[] =>
    reference ? [{ path: where, reference, keyLengths }] : [];
  return [
    ...text('mqtt.password', mqtt?.password),
    ...text('web.setupCode', web.setupCode),
    ...text('web.metricsToken', web.metricsToken),
    ...meters.flatMap((meter, i) => [
      ...key(`meters[${i}].key`, meter.key, meter.protocol === 'wmbus' ? RADIO_KEY : KEY),
      ...key(`meters[${i}].authKey`, meter.authKey),
      ...text(`meters[${i}].iec.password`, meter.iec?.password),
      ...text(`meters[${i}].dlms.password`, meter.dlms?.password),
    ]),
  ];
}

const missing = (reference: SecretRef): string =>
  'env' in reference
    ? `expected the variable ${reference.env}, which is not set`
    : `expected the file ${reference.file}, which is not there, empty or too long`;

/** Trimmed; null when there is nothing. */
function resolve(reference: SecretRef, base: string, env: NodeJS.ProcessEnv): string | null {
  if ('env' in reference) return env[reference.env]?.trim() || null;
  try {
    const file = path.resolve(base, reference.file);
    if (statSync(file).size > LIMITS.secretFile_bytes) return null;
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
