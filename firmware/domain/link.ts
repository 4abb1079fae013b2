/**
 * A link carries bytes between the gateway and one thing: a serial port, a TCP stream, a recording, a simulated
 * line. hal opens real ones; adapters and codecs never see which it is.
 */
import type { Fault } from './errors.ts';
import type { ElapsedMs } from './time.ts';

export interface LineSettings {
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** A link to an input that has only a level (GPIO, a serial control line) gives a byte for each change. */
export const LEVEL = { inactive: 0, active: 1 } as const;

export interface LinkEvents {
  /** Bytes as they came, with the time of their arrival. */
  bytes(chunk: Uint8Array, atMs: ElapsedMs): void;
  /** The link is closed and will say nothing more: unplugged, reset, or closed by us (fault null). */
  gone(reason: Fault | null): void;
}

export interface Link {
  /** For logs and the page; never used to decide. */
  readonly name: string;
  /** Rejects with LINK_REFUSED or LINK_BUSY. After `gone` it may be opened again. */
  open(events: LinkEvents): Promise<void>;
  /** Resolves when the bytes have left this machine (drained, for a serial line). Rejects with LINK_GONE or TIMEOUT. */
  write(bytes: Uint8Array): Promise<void>;
  /** False when the link cannot change its speed (a raw TCP stream): the other side must then stay where it is. */
  configure(settings: LineSettings): Promise<boolean>;
  close(): Promise<void>;
}
