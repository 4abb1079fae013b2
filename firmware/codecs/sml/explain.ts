/** Each byte of an SML telegram: its transport, then the type-length fields of its messages one after the other. */
import { formatObis } from '../../domain/obis.ts';
import { toHex } from '../bytes.ts';
import { ByteWalk, type Explain, type ExplainedSection } from '../explain.ts';
import { SmlDecoder } from './decoder.ts';
import { type Node, TlvReader } from './tlv.ts';

const ESC = 0x1b;
const END = 0x1a;
const OBIS_BYTES = 6;
const PRINTABLE = /^[\x20-\x7e]{3,}$/;

function octets(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (PRINTABLE.test(text)) return `text "${text}"`;
  const code = bytes.length === OBIS_BYTES ? `, as OBIS ${formatObis(bytes)}` : '';
  return `octets ${toHex(bytes)}${code}`;
}

function means(node: Node, bytes: Uint8Array): string {
  switch (node.kind) {
    case 'absent':
      return 'left out';
    case 'end':
      return 'end of the message';
    case 'octets':
      return octets(bytes.subarray(node.from, node.to));
    case 'boolean':
      return String(node.value);
    case 'integer':
      return `${node.signed ? 'signed' : 'unsigned'} ${node.value}`;
    case 'list':
      return `list of ${node.items.length}`;
  }
}

/** Heads of lists as rows of their own, so that the fields within keep their places. */
function fields(payload: Uint8Array): ExplainedSection {
  const walk = new ByteWalk(payload);
  while (walk.left > 0) {
    const reader = new TlvReader(walk.ahead());
    if (reader.head() && reader.type === 7) {
      walk.take(reader.at, `list of ${reader.length}`);
      continue;
    }
    const element = new TlvReader(walk.ahead());
    const node = element.next();
    if (!node) break;
    walk.take(element.at, means(node, element.bytes));
  }
  walk.rest('cannot be read');
  return { title: 'SML messages, without escapes', rows: walk.rows };
}

/** The transport: noise, start, payload with its escapes, end. */
function transport(bytes: Uint8Array): ExplainedSection {
  const walk = new ByteWalk(bytes);
  let within = false;
  while (walk.left > 0) {
    const [at, word] = nextEscape(bytes, walk.at);
    walk.take(at - walk.at, within ? 'messages, below' : 'no telegram');
    if (word === undefined) continue;
    const [first = 0, fill = 0] = word;
    if (first === ESC) walk.take(8, 'an escaped 1B1B1B1Bh of the messages');
    else if (first === 1) walk.take(8, 'start of a telegram, version 1');
    else if (first === END) {
      walk.take(6, `end, after ${fill} fill bytes`);
      walk.take(2, 'checksum');
    } else walk.take(8, 'an unknown escape sequence');
    within = first === 1 || (within && first === ESC);
  }
  return { title: 'as received', rows: walk.rows };
}

/** Where the next escape sequence stands and the word after it; the end of the bytes where there is none. */
function nextEscape(bytes: Uint8Array, from: number): readonly [number, Uint8Array?] {
  for (let at = from; at + 8 <= bytes.length; at++) {
    if (bytes.subarray(at, at + 4).some((byte) => byte !== ESC)) continue;
    const word = bytes.subarray(at + 4, at + 8);
    // Five to seven 1Bh: the payload ends in the first ones.
    if (word[0] !== ESC || word.every((byte) => byte === ESC)) return [at, word];
  }
  return [bytes.length];
}

export const explainSml: Explain = ({ bytes }) => {
  const decoder = new SmlDecoder();
  const sections = [transport(bytes)];
  for (const decoded of [...decoder.push(bytes), ...decoder.end()]) {
    if (decoded.ok) sections.push(fields(decoded.frame.payload));
    else sections.push({ title: `refused, ${decoded.discarded} bytes: ${decoded.error.message}`, rows: [] });
  }
  return sections;
};
