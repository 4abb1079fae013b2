/**
 * A serial line whose bytes take the time that they need: both ends have a speed, and what is heard at another
 * speed than it was sent at is noise. Runs on simulated time and on real time alike.
 */
import { HearthError } from '../../domain/errors.ts';
import type { LineSettings, Link, LinkEvents } from '../../domain/link.ts';
import { type Clock, type ElapsedMs, sleep } from '../../domain/time.ts';

interface SerialTwinEnd {
  /** What the gateway sent, when its last bit has arrived, with the speed it was sent at. */
  onBytes(listener: (bytes: Uint8Array, baudRate: number) => void): void;
  /** Queued behind what is still being sent. */
  write(bytes: Uint8Array, baudRate: number): void;
  /** What the gateway's end is set to. */
  settings(): LineSettings;
  /** Milliseconds that the bytes of both directions took on the line. */
  lineMs(): number;
}

const BITS_PER_CHARACTER = 10;
/** Bytes are handed on in slices of so long, as a driver does. */
const SLICE_MS = 10;

export function simulatedSerial(
  clock: Clock,
  name: string,
): { readonly link: Link; readonly twin: SerialTwinEnd } {
  const listeners: ((bytes: Uint8Array, baudRate: number) => void)[] = [];
  let events: LinkEvents | null = null;
  let settings: LineSettings = { baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 };
  let freeAtMs: ElapsedMs = 0;
  let usedMs = 0;
  const takes = (count: number, baudRate: number): number => (count * BITS_PER_CHARACTER * 1000) / baudRate;
  const hear = (bytes: Uint8Array, baudRate: number): void =>
    events?.bytes(baudRate === settings.baudRate ? bytes : noiseOf(bytes), clock.elapsedMs());

  const link: Link = {
    name,
    async open(handlers) {
      events = handlers;
    },
    async write(bytes) {
      if (!events) throw new HearthError('LINK_GONE', `${name}: not open`);
      const { baudRate } = settings;
      const copy = Uint8Array.from(bytes);
      usedMs += takes(copy.length, baudRate);
      await sleep(clock, takes(copy.length, baudRate));
      for (const listener of listeners) listener(copy, baudRate);
    },
    async configure(wanted) {
      settings = wanted;
      return true;
    },
    async close() {
      const open = events;
      events = null;
      open?.gone(null);
    },
  };
  const twin: SerialTwinEnd = {
    onBytes: (listener) => void listeners.push(listener),
    write(bytes, baudRate) {
      const step = Math.max(1, Math.floor(SLICE_MS / takes(1, baudRate)));
      const beginMs = Math.max(clock.elapsedMs(), freeAtMs);
      for (let at = 0; at < bytes.length; at += step) {
        const slice = Uint8Array.from(bytes.subarray(at, at + step));
        const endMs = beginMs + takes(at + slice.length, baudRate);
        clock.after(endMs - clock.elapsedMs(), () => hear(slice, baudRate));
      }
      freeAtMs = beginMs + takes(bytes.length, baudRate);
      usedMs += takes(bytes.length, baudRate);
    },
    settings: () => settings,
    lineMs: () => usedMs,
  };
  return { link, twin };
}

/** What a receiver makes of characters at another speed: as many, none of them right. */
const noiseOf = (bytes: Uint8Array): Uint8Array => bytes.map((b) => (b * 7 + 13) & 0x7f);
