/** The single messages of IEC 62056-21, 6.3: how the reader's are written and the meter's are read. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { LineSettings } from '../../domain/link.ts';

export const SOH = 0x01;
export const STX = 0x02;
export const ETX = 0x03;
export const EOT = 0x04;
export const ACK = 0x06;
export const NAK = 0x15;

/** First contact of modes A, B, C and E (6.3.1). */
export const SIGN_ON: LineSettings = { baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 };

/** Reaction and inactivity times, 6.3.13 and annex A. */
export const TIMES = {
  /** tr: between the end of a message and the begin of its answer. */
  reactionMinMs: 200,
  /** For a manufacturer whose third letter is lower case. */
  quickReactionMinMs: 20,
  reactionMaxMs: 1500,
  /** ta: between two characters of a message. */
  gapMs: 1500,
  /** Battery and slow meters answer late: a reader that waits a little longer loses nothing. */
  patienceMs: 1000,
  /** NUL characters for 2.1 to 2.3 s wake a battery meter, and a pause of 1.5 to 1.7 s lets it get up. */
  wakeUpMs: 2200,
  wakeUpPauseMs: 1600,
} as const;

const BAUDS_C: readonly number[] = [300, 600, 1200, 2400, 4800, 9600, 19200];
const BAUDS_B: ReadonlyMap<string, number> = new Map([
  ['A', 600],
  ['B', 1200],
  ['C', 2400],
  ['D', 4800],
  ['E', 9600],
  ['F', 19200],
]);
const ADDRESS_CHARS = 32;

export interface Identification {
  /** As sent, without the line end; what the readout's decoder begins with. */
  readonly line: string;
  /** FLAG code; a lower case third letter means quick reactions. */
  readonly manufacturer: string;
  readonly mode: 'A' | 'B' | 'C';
  /** HDLC is offered (`\2`): mode E. */
  readonly offersHdlc: boolean;
  /** The speed that the meter offers (C) or changes to by itself (B). */
  readonly baudRate: number;
  readonly reactionMinMs: number;
  readonly ident: string;
}

const IDENTIFICATION = /^\/([A-Za-z]{3})([\x20-\x7e])((?:\\[\x20-\x7e])*)([\x20-\x7e]{0,16})$/;

/** `/XXXZ[\W]ident` (6.3.2). Any other printable Z means mode A: no change of speed (Kamstrup MC66 sends a blank). */
export function readIdentification(line: string): Result<Identification> {
  const m = IDENTIFICATION.exec(line);
  if (!m) return refuse('BAD_FRAME', 'the identification is malformed');
  const [, manufacturer = '', z = '', escapes = '', ident = ''] = m;
  const offered = BAUDS_C[z >= '0' && z <= '6' ? Number(z) : -1];
  const b = BAUDS_B.get(z);
  return ok({
    line,
    manufacturer,
    mode: offered !== undefined ? 'C' : b !== undefined ? 'B' : 'A',
    offersHdlc: escapes.includes('\\2'),
    baudRate: offered ?? b ?? 300,
    reactionMinMs: /[a-z]$/.test(manufacturer) ? TIMES.quickReactionMinMs : TIMES.reactionMinMs,
    ident,
  });
}

/** `/?address!`: empty asks whoever is there. Only what the address may hold is sent; leading zeros are no matter. */
export function request(address: string): Uint8Array {
  const clean = address.replace(/[^\x20\x2d\x2e0-9A-Za-z]/g, '').slice(0, ADDRESS_CHARS);
  return latin1(`/?${clean}!\r\n`);
}

/** What the option select asks for: protocol control V and mode control Y (6.3.3). */
const OPTIONS = {
  readout: ['0', '0'],
  programming: ['0', '1'],
  hdlc: ['2', '2'],
} as const;
export type Option = keyof typeof OPTIONS;

/** `ACK V Z Y`, with the speed as its character. */
export function acknowledgement(option: Option, baudRate: number): Uint8Array {
  const [v, y] = OPTIONS[option];
  const z = Math.max(0, BAUDS_C.indexOf(baudRate));
  return latin1(`\x06${v}${z}${y}\r\n`);
}

/** NUL characters that last for the wake-up time at the speed of the first contact (annex A). */
export function wakeUp(baudRate: number): Uint8Array {
  return new Uint8Array(Math.round((TIMES.wakeUpMs * baudRate) / 10_000));
}

/** Parity comes along where the line was opened as 8N1: the dialogue reads seven bits. */
export const sevenBits = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (b) => b & 0x7f);

/** XOR of the seven bits of everything behind the first STX or SOH up to and with ETX or EOT (6.1.3). */
export const blockCheck = (bytes: Uint8Array): number => bytes.reduce((x, b) => x ^ (b & 0x7f), 0);

/**
 * What the reader may ask in programming mode (6.3.4). Reading only: there is no W and no E here, so nothing in
 * this house can write to a meter.
 */
type CommandName = 'P1' | 'P2' | 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'B0';

/** `SOH name [STX data] ETX BCC`. */
export function command(name: CommandName, data: string | null): Uint8Array {
  const body = latin1(`${name}${data === null ? '' : `\x02${data}`}\x03`);
  return Uint8Array.from([SOH, ...body, blockCheck(body)]);
}

/** Ends the session at once; the meter frees its port. */
export const BREAK = command('B0', null);

function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
