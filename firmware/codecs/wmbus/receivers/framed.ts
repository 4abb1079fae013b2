/** The loop that all binary receivers share: find a frame, take it, or give up one byte and look again. */
import type { Fault } from '../../../domain/errors.ts';
import { fault } from '../../../domain/errors.ts';
import type { Decoded, Decoder } from '../../../domain/telegram.ts';
import { joined, NOTHING } from '../../bytes.ts';
import type { ReceiverFrame } from './receiver.ts';

/** At the start of `bytes`: a frame of `length` bytes, or bytes to skip, or more is needed. */
export type Found =
  | { readonly is: 'frame'; readonly frame: ReceiverFrame; readonly length: number }
  /** Its own frame, of no interest. */
  | { readonly is: 'other'; readonly length: number }
  | { readonly is: 'none'; readonly reason: Fault | null }
  | { readonly is: 'more' };

/** The longest frame of any receiver is well below. */
const HELD_BYTES = 1024;

export class FramedDecoder implements Decoder<ReceiverFrame> {
  private readonly find: (bytes: Uint8Array) => Found;
  private held: Uint8Array = NOTHING;
  private skipped = 0;

  constructor(find: (bytes: Uint8Array) => Found) {
    this.find = find;
  }

  *push(chunk: Uint8Array): Iterable<Decoded<ReceiverFrame>> {
    for (let from = 0; from < chunk.length; from += HELD_BYTES) {
      this.held = joined(this.held, chunk.subarray(from, from + HELD_BYTES));
      yield* this.drain(false);
    }
  }

  *end(): Iterable<Decoded<ReceiverFrame>> {
    yield* this.drain(true);
    const discarded = this.skipped;
    this.skipped = 0;
    if (discarded > 0) yield { ok: false, error: fault('NO_TELEGRAM'), discarded };
  }

  private *drain(final: boolean): Iterable<Decoded<ReceiverFrame>> {
    let at = 0;
    while (at < this.held.length) {
      const found = this.find(this.held.subarray(at));
      if (found.is === 'more' && !final && this.held.length - at < HELD_BYTES) break;
      if (found.is === 'frame' || found.is === 'other') {
        at += found.length;
        if (found.is === 'frame') yield { ok: true, frame: found.frame };
        continue;
      }
      at += 1;
      this.skipped += 1;
      if (found.is === 'none' && found.reason) yield { ok: false, error: found.reason, discarded: 1 };
    }
    this.held = this.held.slice(at);
  }
}
