/** A line in memory with two ends, whose faults are made on request. Bytes take `latencyMs` to arrive. */
import { fault, HearthError } from '../../domain/errors.ts';
import type { Link, LinkEvents } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';

/** The far end of the line, where a twin sits. */
export interface TwinEnd {
  onBytes(listener: (bytes: Uint8Array) => void): void;
  write(bytes: Uint8Array): void;
  /** Cuts the line: the gateway's end is gone and cannot be opened until `restore`. */
  drop(): void;
  restore(): void;
  /** Bytes still flow nowhere, but nobody notices: the other side has hung. */
  silence(on: boolean): void;
  /** Flips a bit of the next bytes towards the gateway. */
  garbleNext(): void;
}

export function simulatedLine(
  clock: Clock,
  name: string,
  latencyMs = 1,
): { readonly link: Link; readonly twin: TwinEnd } {
  const listeners: ((bytes: Uint8Array) => void)[] = [];
  let events: LinkEvents | null = null;
  let broken = false;
  let silent = false;
  let garble = false;

  const leave = (): void => {
    const gone = events;
    events = null;
    gone?.gone(fault('LINK_GONE', `${name}: the line was cut`));
  };
  const link: Link = {
    name,
    async open(handlers) {
      if (broken) throw new HearthError('LINK_REFUSED', `${name}: nothing is there`);
      events = handlers;
    },
    async write(bytes) {
      if (!events) throw new HearthError('LINK_GONE', `${name}: not open`);
      const copy = Uint8Array.from(bytes);
      if (silent) return;
      clock.after(latencyMs, () => {
        if (!broken) for (const listener of listeners) listener(copy);
      });
    },
    configure: async () => true,
    async close() {
      const open = events;
      events = null;
      open?.gone(null);
    },
  };
  const twin: TwinEnd = {
    onBytes: (listener) => void listeners.push(listener),
    write(bytes) {
      if (broken || silent) return;
      const copy = Uint8Array.from(bytes);
      const middle = copy.length >> 1;
      if (garble && copy.length > 0) copy[middle] = (copy[middle] ?? 0) ^ 0x10;
      garble = false;
      clock.after(latencyMs, () => events?.bytes(copy, clock.elapsedMs()));
    },
    drop() {
      broken = true;
      leave();
    },
    restore() {
      broken = false;
    },
    silence(on) {
      silent = on;
    },
    garbleNext() {
      garble = true;
    },
  };
  return { link, twin };
}
