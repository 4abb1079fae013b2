/** Radio receivers that speak the bytes of their makes: take their setup, answer it, and pass on what they hear. */
import { crc16X25 } from '../../firmware/codecs/crc16.ts';
import type { ReceiverName } from '../../firmware/codecs/wmbus/receivers/index.ts';
import { formatA, formatB } from './wmbus-telegram.ts';

type Air = 'A' | 'B';

interface Make {
  /** Answers to what came; calls `setTo` with the receiver's own word for a mode. */
  readonly commanded: (bytes: Uint8Array, setTo: (mode: string) => void) => Uint8Array[];
  /** How it passes on a telegram (without CRCs) that came in a frame format. */
  readonly passes: (telegram: Uint8Array, air: Air) => Uint8Array;
}

const xor = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);
const text = (line: string): Uint8Array => Buffer.from(`${line}\r\n`, 'latin1');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();

/** An AMB8465; `signal` is its parameter 69. */
function amb8465(signal: 0 | 1): Make {
  const framed = (...bytes: number[]): Uint8Array => Uint8Array.of(...bytes, xor(Uint8Array.from(bytes)));
  return {
    commanded(bytes, setTo) {
      const [start, command, , first, count] = bytes;
      if (start !== 0xff || xor(bytes) !== 0) return [];
      if (command === 0x0a && first === 69 && count === 1) return [framed(0xff, 0x8a, 3, 69, 1, signal)];
      if (command !== 4) return [];
      setTo(`mode ${first}`);
      return [framed(0xff, 0x84, 1, 0)];
    },
    passes(telegram) {
      const strength = signal ? [0xb0] : [];
      return framed(0xff, 0x03, telegram.length - 1 + signal, ...telegram.subarray(1), ...strength);
    },
  };
}

const MAKES: Readonly<Record<ReceiverName | 'amb8465 without signal', Make>> = {
  im871a: {
    commanded(bytes, setTo) {
      const [start, endpoint, message, , , flags, mode] = bytes;
      if (start !== 0xa5 || endpoint !== 1 || message !== 3 || flags !== 2) return [];
      setTo(`link mode ${mode}`);
      return [Uint8Array.of(0xa5, 0x01, 0x04, 1, 0)];
    },
    passes(telegram) {
      // Control bits: signal and CRC follow.
      const head = Uint8Array.of(0xa5, 0xc2, 0x03, telegram.length - 1, ...telegram.subarray(1), 125);
      const crc = crc16X25(head.subarray(1));
      return Uint8Array.of(...head, crc & 255, crc >> 8);
    },
  },
  amb8465: amb8465(1),
  'amb8465 without signal': amb8465(0),
  cul: {
    commanded(bytes, setTo) {
      const [, letter] = /br([stc])\r\n/.exec(Buffer.from(bytes).toString('latin1')) ?? [];
      if (!letter) return [];
      setTo(letter);
      return [text(`${letter.toUpperCase()}MODE`)];
    },
    passes: (telegram, air) =>
      text(air === 'A' ? `b${hexOf(formatA(telegram))}5CD8` : `bY${hexOf(formatB(telegram))}5CD8`),
  },
  rc1180: { commanded: () => [], passes: (telegram) => telegram },
  'rtl-wmbus': {
    commanded: () => [],
    passes: (telegram, air) =>
      text(
        `${air === 'A' ? 'T1' : 'C1'};1;1;2026-01-15 12:00:00.000;97;148;12345678;0x${hexOf(telegram).toLowerCase()}`,
      ),
  },
};

export class ReceiverTwin {
  /** The modes that it was set to, in its own words. */
  readonly modes: string[] = [];
  /** Does not answer to its setup. */
  deaf = false;
  private readonly make: Make;
  private readonly send: (bytes: Uint8Array) => void;

  constructor(name: keyof typeof MAKES, send: (bytes: Uint8Array) => void) {
    this.make = MAKES[name];
    this.send = send;
  }

  /** Bytes from the gateway. */
  take(bytes: Uint8Array): void {
    if (this.deaf) return;
    for (const answer of this.make.commanded(bytes, (mode) => void this.modes.push(mode))) this.send(answer);
  }

  hear(telegram: Uint8Array, air: Air = 'A'): void {
    this.send(this.frame(telegram, air));
  }

  frame(telegram: Uint8Array, air: Air = 'A'): Uint8Array {
    return this.make.passes(telegram, air);
  }
}
