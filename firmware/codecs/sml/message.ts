/** The messages of an SML file (SML 1.04, clause 5.2): each is a list of six with a checksum of its own. */
import { type Fault, fault } from '../../domain/errors.ts';
import { crcOf } from './crc.ts';
import { type Malformed, TlvReader } from './tlv.ts';

export const GET_LIST_RESPONSE = 0x0701;

interface SmlMessage {
  /** What the body is, `0701h` for a list of values. */
  readonly tag: number;
  /** Where it begins in the payload; its elements are known to be whole. */
  readonly at: number;
}

/**
 * The messages whose checksum matches, and why others were left out. After a message that cannot be read the
 * place of the next is unknown: those before it stand, each under its own checksum.
 */
export function readMessages(payload: Uint8Array): {
  readonly messages: readonly SmlMessage[];
  readonly faults: readonly Fault[];
} {
  const messages: SmlMessage[] = [];
  const faults: Fault[] = [];
  const reader = new TlvReader(payload);
  while (reader.at < payload.length) {
    // Meters put fill bytes between messages as well.
    if (payload[reader.at] === 0) {
      reader.at++;
      continue;
    }
    const message = readMessage(reader);
    if (message === null) {
      faults.push(reasonOf(reader.malformed));
      break;
    }
    if ('code' in message) faults.push(message);
    else messages.push(message);
  }
  return { messages, faults };
}

/** Null when the element structure ends here. */
function readMessage(reader: TlvReader): SmlMessage | Fault | null {
  const from = reader.at;
  if (!reader.isList(6)) return null;
  let body = 0;
  for (let i = 0; i < 4; i++) {
    body = reader.at;
    if (!reader.skip(1)) return null;
  }
  const until = reader.at;
  const crc = reader.integer();
  const isWord = reader.type === 6 && reader.at - reader.from <= 2;
  const last = reader.at;
  if (!reader.skip(1) || crc === null || !isWord || reader.bytes[last] !== 0) return null;
  const end = reader.at;
  if (crcOf(reader.bytes, from, until, Number(crc)) === null)
    return fault('BAD_CHECKSUM', 'the CRC16 of a message in the telegram does not match');
  reader.at = body;
  const tag = reader.enters(2) ? reader.number() : null;
  const { at } = reader;
  reader.at = end;
  return tag === null ? fault('BAD_VALUE', 'a message has no tagged body') : { tag, at };
}

function reasonOf(malformed: Malformed | null): Fault {
  if (malformed === 'deep') return fault('NESTED_TOO_DEEP', 'lists in a message are nested too deep');
  if (malformed === 'cut') return fault('CUT_FRAME', 'an element of a message is longer than the message');
  return fault('BAD_FRAME', 'the telegram does not consist of SML messages');
}
