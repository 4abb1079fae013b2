/** HDLC frames out of a byte stream. */
import { fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Decoded, Decoder } from '../../domain/telegram.ts';
import { FLAG, type HdlcFrame, scanHdlc } from './frame.ts';

export class HdlcDecoder implements Decoder<HdlcFrame> {
  private readonly held = new Uint8Array(2 * LIMITS.hdlcFrame_bytes);
  private length = 0;
  private skipped = 0;

  *push(chunk: Uint8Array): Iterable<Decoded<HdlcFrame>> {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(chunk.length - at, this.held.length - this.length);
      this.held.set(chunk.subarray(at, at + count), this.length);
      this.length += count;
      at += count;
      yield* this.scan(false);
    }
  }

  *end(): Iterable<Decoded<HdlcFrame>> {
    yield* this.scan(true);
    const discarded = this.skipped;
    this.skipped = 0;
    if (discarded > 0) yield { ok: false, error: fault('NO_TELEGRAM'), discarded };
  }

  private *scan(ended: boolean): Iterable<Decoded<HdlcFrame>> {
    let at = 0;
    while (at < this.length) {
      const scan = scanHdlc(this.held, at, this.length);
      if (scan.found === 'more' && !ended) break;
      if (scan.found === 'whole') {
        at += scan.length;
        yield { ok: true, frame: scan.value };
        continue;
      }
      if (this.held[at++] === FLAG && scan.found !== 'bad') continue;
      this.skipped++;
      if (scan.found !== 'bad') continue;
      const discarded = this.skipped;
      this.skipped = 0;
      yield { ok: false, error: scan.error, discarded };
    }
    this.held.copyWithin(0, at, this.length);
    this.length -= at;
  }
}
