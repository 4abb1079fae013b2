/**
 * Keeps packets that are too long out of the MQTT client, which would hold them whole. MQTT 5 can ask the broker not
 * to send them; with 3.1.1 the only other way out is to hang up, and a retained one would come again at each
 * connection. A PUBLISH that is too long passes without its payload, so that it is acknowledged and gone.
 */
import { LIMITS } from '../domain/limits.ts';

const PUBLISH = 3;
/** Fixed header (MQTT 5.0, 2.1): one byte, then the remaining length in one to four. */
const LONGEST_HEADER = 5;

interface Head {
  readonly length: number;
  readonly remaining: number;
}

export interface Skipped {
  readonly topic: string;
  readonly size: number;
}

/** Throws for bytes that are no MQTT: the connection is then worth nothing. */
export class PacketSieve {
  private readonly version: 4 | 5;
  private readonly skipped: (packet: Skipped) => void;
  private held: Buffer = Buffer.alloc(0);
  private passing = 0;
  private dropping = 0;

  constructor(version: 4 | 5, skipped: (packet: Skipped) => void) {
    this.version = version;
    this.skipped = skipped;
  }

  /** What may go on to the client. */
  *push(chunk: Buffer): Iterable<Buffer> {
    let rest = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    this.held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.passing > 0 || this.dropping > 0) {
        const part = rest.subarray(0, Math.max(this.passing, this.dropping));
        rest = rest.subarray(part.length);
        if (this.passing > 0) yield part;
        this.passing = Math.max(0, this.passing - part.length);
        this.dropping = Math.max(0, this.dropping - part.length);
        continue;
      }
      const begun = this.begin(rest);
      if (begun === null) {
        this.held = rest;
        return;
      }
      if (begun.short) yield begun.short;
      rest = rest.subarray(begun.used);
    }
  }

  /** Decides what becomes of the packet that starts here; null when more bytes are needed to say. */
  private begin(bytes: Buffer): { readonly used: number; readonly short?: Buffer } | null {
    const head = headOf(bytes);
    if (head === null) return null;
    if (head.remaining <= LIMITS.mqttPacket_bytes) {
      this.passing = head.length + head.remaining;
      return { used: 0 };
    }
    if ((bytes[0] ?? 0) >> 4 !== PUBLISH) throw new RangeError('a control packet is too long');
    return this.shorten(bytes, head);
  }

  private shorten(bytes: Buffer, { length, remaining }: Head): { used: number; short: Buffer } | null {
    if (bytes.length < length + 2) return null;
    const topic_bytes = bytes.readUInt16BE(length);
    if (topic_bytes > LIMITS.mqttTopic_bytes) throw new RangeError('a topic is too long');
    const withId = (bytes[0] ?? 0) & 0x06 ? 2 : 0;
    const used = length + 2 + topic_bytes + withId;
    if (bytes.length < used) return null;
    this.dropping = length + remaining - used;
    this.skipped({ topic: bytes.toString('utf8', length + 2, length + 2 + topic_bytes), size: remaining });
    const body = Buffer.concat([bytes.subarray(length, used), Buffer.alloc(this.version === 5 ? 1 : 0)]);
    return { used, short: Buffer.concat([bytes.subarray(0, 1), lengthBytes(body.length), body]) };
  }
}

function headOf(bytes: Buffer): Head | null {
  let remaining = 0;
  for (let i = 1; i < LONGEST_HEADER; i++) {
    const byte = bytes[i];
    if (byte === undefined) return null;
    remaining += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 0x80) return { length: i + 1, remaining };
  }
  throw new RangeError('the remaining length of a packet has more than four bytes');
}

function lengthBytes(length: number): Buffer {
  return length < 128 ? Buffer.of(length) : Buffer.of((length & 0x7f) | 0x80, length >> 7);
}
