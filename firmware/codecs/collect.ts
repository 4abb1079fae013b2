import type { Fault, Result } from '../domain/errors.ts';
import type { DecodeOutput, Decoder, Telegram } from '../domain/telegram.ts';

/** A whole input through a decoder and a reader: what was accepted, what was refused and why. */
export function collect<F>(
  decoder: Decoder<F>,
  read: (frame: F) => Result<Telegram>,
  bytes: Uint8Array,
): DecodeOutput {
  const telegrams: Telegram[] = [];
  const faults: Fault[] = [];
  let discarded = 0;
  for (const part of [decoder.push(bytes), decoder.end()]) {
    for (const decoded of part) {
      const result = decoded.ok ? read(decoded.frame) : decoded;
      if (result.ok) telegrams.push(result.value);
      else faults.push(result.error);
      if (!decoded.ok) discarded += decoded.discarded;
    }
  }
  return { telegrams, faults, discarded };
}
