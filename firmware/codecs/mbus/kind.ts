/** `hearth decode` kind `mbus`: wired frames, EN 13757-2 and -3. */
import { type Fault, fault, ok, type Result, refuse } from '../../domain/errors.ts';
import type { DecodeInput, DecodeOutput, Telegram } from '../../domain/telegram.ts';
import { parse } from '../mbus-parser/index.ts';
import { readApplication } from './application.ts';
import { type Address, bcdText, mediumName } from './identity.ts';
import { isStart, type LinkFrame, type LongFrame, readLink } from './link.ts';
import { DATES, dataRecord, stopFault } from './records.ts';
import { type HeaderForm, open, readHeader } from './transport.ts';

/** EN 13757-3, 9.1: the first byte of a report of application errors. */
const APPLICATION_ERRORS = [
  'unspecified error',
  'unimplemented CI field',
  'buffer too long, truncated',
  'too many records',
  'premature end of record',
  'more than 10 DIFE',
  'more than 10 VIFE',
  'reserved',
  'application too busy to handle the readout request',
  'too many readouts',
];

export const RESPONSE_FORMS: ReadonlyMap<number, HeaderForm> = new Map([
  [0x72, 'long'],
  [0x7a, 'short'],
  [0x78, 'none'],
]);

/** CI fields that only a master sends (EN 13757-7, table of CI fields). */
const isCommand = (ci: number): boolean =>
  (ci >= 0x50 && ci <= 0x5f) || (ci >= 0xb8 && ci <= 0xbf) || ci === 0x60 || ci === 0x61 || ci === 0x6c;

/** The telegram of a long frame, or why it gives none. */
export function readWired(frame: LinkFrame, key: Uint8Array | null = null): Result<Telegram> {
  if (frame.kind === 'ack') return refuse('NO_TELEGRAM', 'an acknowledgement (E5h) carries no data');
  if (frame.kind === 'short' || frame.control & 0x40 || isCommand(frame.ci)) {
    return refuse('WRONG_DIRECTION', 'the frame was sent by the master to a meter');
  }
  const form = RESPONSE_FORMS.get(frame.ci);
  if (form) return readVariable(frame, form, key);
  switch (frame.ci) {
    case 0x70:
      return applicationError(frame.payload);
    case 0x71:
      return refuse('APPLICATION_ERROR', `the meter reports an alarm (${frame.payload[0] ?? 0})`);
    case 0x73:
      return readFixed(frame.payload);
    case 0x76:
      return refuse('UNSUPPORTED', 'data with the most significant byte first (CI 76h) is withdrawn');
    default:
      return refuse('UNSUPPORTED', `CI field ${frame.ci.toString(16)}h carries no readings`);
  }
}

function applicationError(payload: Uint8Array): Result<Telegram> {
  const code = payload[0] ?? 0;
  const text = APPLICATION_ERRORS[code] ?? 'reserved code';
  return refuse('APPLICATION_ERROR', `the meter reports: ${text} (code ${code})`);
}

/** Sends no address. */
export const NOBODY: Address = {
  id: '',
  manufacturer: '@@@',
  version: 0,
  mediumCode: 0x0f,
  bytes: new Uint8Array(8),
};

function readVariable(frame: LongFrame, form: HeaderForm, key: Uint8Array | null): Result<Telegram> {
  const header = readHeader(form, frame.payload);
  if (!header.ok) return header;
  const address = header.value.address ?? NOBODY;
  const clear = frame.payload.subarray(header.value.length);
  const opened = open({
    address,
    header: header.value,
    payload: clear,
    layer: frame.payload,
    authentication: null,
    key,
  });
  if (!opened.ok && !(opened.error.code === 'KEY_MISSING' && isPlainAfterAll(clear))) return opened;
  const { telegram, stopped } = readApplication({
    sender: address,
    meter: address,
    ci: frame.ci,
    accessNumber: header.value.accessNumber,
    status: header.value.status,
    payload: opened.ok ? opened.value.payload : clear,
    key,
  });
  // A checksum has confirmed the bytes: records that do not add up mean a meter that is not understood.
  if (stopped) return { ok: false, error: stopped };
  if (header.value.address) return ok(telegram);
  const { meter: _, ...anonymous } = telegram;
  return ok(anonymous);
}

/**
 * Old wired meters use the bytes of the configuration word as a signature of their own, which then looks like a
 * security mode. Enciphered bytes do not read as records without a flaw, a real date among them.
 */
function isPlainAfterAll(payload: Uint8Array): boolean {
  const { records, stop } = parse(payload);
  const own = records.filter((r) => r.function !== 'mfct' && r.function !== 'more');
  const flawless = own.every((r) => r.quantity !== 'unknown' && r.kind !== 'invalid' && r.kind !== 'nothing');
  return stop === 'end' && flawless && own.some((r) => DATES.has(r.kind));
}

/** Two bytes of the fixed structure hold the medium in their upper bits. */
function fixedMedium(low: number, high: number): number {
  return ((low >> 6) & 3) | ((high >> 4) & 12);
}

function readFixed(payload: Uint8Array): Result<Telegram> {
  const parsed = parse(payload, true);
  const stopped = stopFault(parsed);
  if (stopped) return { ok: false, error: fault('BAD_FRAME', stopped.message) };
  const medium = fixedMedium(payload[6] ?? 0, payload[7] ?? 0);
  return ok({
    meter: { id: bcdText(payload.subarray(0, 4)), medium: mediumName(medium) },
    readings: [],
    records: parsed.records.map((record, i) => dataRecord(record, i, payload)),
  });
}

/** Every frame of the input; between frames it looks for the next start character. */
export function decodeMbus(input: DecodeInput): DecodeOutput {
  const telegrams: Telegram[] = [];
  const faults: Fault[] = [];
  let discarded = 0;
  let at = 0;
  while (at < input.bytes.length) {
    const link = readLink(input.bytes, at);
    if (link.ok) {
      const telegram = readWired(link.frame, input.key ?? null);
      if (telegram.ok) telegrams.push(telegram.value);
      else if (link.frame.kind === 'long') faults.push(telegram.error);
      at += link.length;
      continue;
    }
    if (isStart(input.bytes[at]) || faults.length === 0) faults.push(link.error);
    discarded += 1;
    at += 1;
  }
  if (telegrams.length === 0 && faults.length === 0) faults.push(fault('NO_TELEGRAM'));
  return { telegrams, faults, discarded };
}
