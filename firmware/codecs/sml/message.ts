/** The messages of an SML file (SML 1.04, clause 5.2): each is a list of six with a checksum of its own. */
import { type Fault, fault } from '../../domain/errors.ts';
import { crcOf } from './crc.ts';
import { type Malformed, type Node, TlvReader } from './tlv.ts';

export const GET_LIST_RESPONSE = 0x0701;

export interface SmlMessage {
  /** What the body is, `0701h` for a list of values. */
  readonly tag: number;
  readonly body: Node;
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
  if (!reader.head() || reader.type !== 7 || reader.length !== 6) return null;
  const items: Node[] = [];
  for (let i = 0; i < 4; i++) {
    const item = reader.next(1);
    if (!item) return null;
    items.push(item);
  }
  const until = reader.at;
  const crc = reader.next(1);
  const end = reader.next(1);
  if (end?.kind !== 'end' || crc?.kind !== 'integer' || crc.signed || crc.bits > 16) return null;
  if (crcOf(reader.bytes, from, until, Number(crc.value)) === null)
    return fault('BAD_CHECKSUM', 'the CRC16 of a message in the telegram does not match');
  const body = items[3];
  const [tag, content] = body?.kind === 'list' && body.items.length === 2 ? body.items : [];
  if (tag?.kind !== 'integer' || !content) return fault('BAD_VALUE', 'a message has no tagged body');
  return { tag: Number(tag.value), body: content };
}

function reasonOf(malformed: Malformed | null): Fault {
  if (malformed === 'deep') return fault('NESTED_TOO_DEEP', 'lists in a message are nested too deep');
  if (malformed === 'cut') return fault('CUT_FRAME', 'an element of a message is longer than the message');
  return fault('BAD_FRAME', 'the telegram does not consist of SML messages');
}
