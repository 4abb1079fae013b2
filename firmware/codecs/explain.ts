/** Naming each byte of a telegram, for a person: `hearth decode --explain`. */
import type { DecodeInput } from '../domain/telegram.ts';
import { ascii } from './bytes.ts';

/** Bytes that belong together and what they are. */
export interface ExplainedBytes {
  readonly bytes: Uint8Array;
  readonly means: string;
}

/** Every byte of a stretch, in order: the telegram as it came, or a part of it in clear. */
export interface ExplainedSection {
  readonly title: string;
  readonly rows: readonly ExplainedBytes[];
}

export type Explain = (input: DecodeInput) => readonly ExplainedSection[];

/** Walks over bytes and names them; past the end it names nothing. */
export class ByteWalk {
  readonly rows: ExplainedBytes[] = [];
  at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  peek(offset = 0): number {
    return this.bytes[this.at + offset] ?? 0;
  }

  /** All that has not been named yet. */
  ahead(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  take(length: number, means: string | ((bytes: Uint8Array) => string)): Uint8Array {
    const bytes = this.bytes.subarray(this.at, this.at + Math.max(0, length));
    this.at += bytes.length;
    if (bytes.length > 0) this.rows.push({ bytes, means: typeof means === 'string' ? means : means(bytes) });
    return bytes;
  }

  rest(means: string): void {
    this.take(this.left, means);
  }
}

/** A protocol of text lines: each line, with what `means` makes of it. */
export function explainLines(bytes: Uint8Array, means: (line: string) => string): ExplainedSection[] {
  const walk = new ByteWalk(bytes);
  while (walk.left > 0) {
    const end = bytes.indexOf(0x0a, walk.at);
    const length = end < 0 ? walk.left : end + 1 - walk.at;
    walk.take(length, (line) => means(ascii(line).trimEnd()));
  }
  return [{ title: 'line by line', rows: walk.rows }];
}
