/** What carries the operator's messages. A signal must not care which one it was. */
import type { Fault } from './errors.ts';

export interface TransportEvents {
  message(topic: string, bytes: Uint8Array): void;
  state(connected: boolean, reason: Fault | null): void;
}

export interface SignalTransport {
  /** Keeps connecting, with back-off, until closed. */
  open(events: TransportEvents): void;
  /** Resolves when the broker has it, or it waits in the bounded outbox; rejects with LINK_GONE when that is full. */
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
