/** The loop that all receivers with text output share: a line, whatever its end, is a frame or not. */
import { fault } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { Decoded, Decoder } from '../../../domain/telegram.ts';
import type { ReceiverFrame } from './receiver.ts';

const LF = 0x0a;
const CR = 0x0d;

export class LineDecoder implements Decoder<ReceiverFrame> {
  private readonly read: (line: string) => readonly Decoded<ReceiverFrame>[];
  private line = '';
  private tooLong = false;

  constructor(read: (line: string) => readonly Decoded<ReceiverFrame>[]) {
    this.read = read;
  }

  *push(chunk: Uint8Array): Iterable<Decoded<ReceiverFrame>> {
    for (const byte of chunk) {
      if (byte === LF || byte === CR) yield* this.take();
      else if (this.line.length < LIMITS.wmbusLine_chars) this.line += String.fromCharCode(byte);
      else this.tooLong = true;
    }
  }

  *end(): Iterable<Decoded<ReceiverFrame>> {
    yield* this.take();
  }

  private *take(): Iterable<Decoded<ReceiverFrame>> {
    const { line, tooLong } = this;
    this.line = '';
    this.tooLong = false;
    if (tooLong) {
      const error = fault('OVERSIZED', `a line of the receiver is longer than ${LIMITS.wmbusLine_chars}`);
      yield { ok: false, error, discarded: line.length };
    } else if (line !== '') yield* this.read(line);
  }
}
