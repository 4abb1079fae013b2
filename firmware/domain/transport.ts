/** What carries the operator's messages. A signal must not care which one it was. */
import type { Fault } from './errors.ts';

export interface TransportEvents {
  /**
   * Called for each message, one at a time. True: it is dealt with, and the sender may forget it. False: what it
   * says could not be written down; it is not acknowledged, so that it comes again.
   */
  message(topic: string, bytes: Uint8Array): boolean;
  /** A message that was dropped unread: too long, or of a topic that nobody asked for. */
  refused(topic: string, reason: Fault): void;
  state(connected: boolean, reason: Fault | null): void;
}

export interface SignalTransport {
  /** Keeps connecting, with back-off, until closed. */
  open(events: TransportEvents): void;
  /**
   * Resolves when the broker has it. While the link is down it waits in a bounded outbox, oldest first; rejects
   * with LINK_GONE when that is full or the transport is closed, with TIMEOUT when it could not be sent within
   * `keepMs` (for ever, where that is not given).
   */
  publish(topic: string, bytes: Uint8Array, keepMs?: number): Promise<void>;
  close(): Promise<void>;
}
