/** Each byte of a DLMS push: the frames that carry it, its cipher, and the data one after the other. */
import { formatObis } from '../../domain/obis.ts';
import { toHex } from '../bytes.ts';
import { ByteWalk, type Explain, type ExplainedSection } from '../explain.ts';
import { FLAG, scanHdlc } from '../hdlc/frame.ts';
import { readCiphered } from '../security/gcm.ts';
import { AxdrReader, type Data, TAG } from './axdr.ts';
import { scanMbus } from './mbus-frame.ts';
import { DATA_NOTIFICATION, EVENT_NOTIFICATION } from './notification.ts';
import { PushDecoder } from './push-decoder.ts';
import { scanWrapper } from './wrapper.ts';

const CARRIED = 'a piece of the message, below';
const PRINTABLE = /^[\x20-\x7e]{3,}$/;

export const explainDlms: Explain = ({ bytes, key, authKey }) => {
  const decoder = new PushDecoder({ bare: true, ...(key && { key }), ...(authKey && { authKey }) });
  const sections = [received(bytes)];
  for (const decoded of [...decoder.push(bytes), ...decoder.end()]) {
    if (decoded.ok) sections.push(notification(decoded.frame.apdu));
    else sections.push({ title: `refused, ${decoded.discarded} bytes: ${decoded.error.message}`, rows: [] });
  }
  return sections;
};

function received(bytes: Uint8Array): ExplainedSection {
  const walk = new ByteWalk(bytes);
  while (walk.left > 0) {
    if (hdlc(walk, bytes) || mbus(walk, bytes) || wrapper(walk, bytes) || ciphered(walk)) continue;
    const bare = walk.at === 0 && [DATA_NOTIFICATION, EVENT_NOTIFICATION].includes(walk.peek());
    if (bare) walk.rest('the message, below');
    else walk.take(1, walk.peek() === FLAG ? 'flag' : 'no frame');
  }
  return { title: 'as received', rows: walk.rows };
}

/** Without the closing flag, which may open the next frame. */
function hdlc(walk: ByteWalk, bytes: Uint8Array): boolean {
  const scan = scanHdlc(bytes, walk.at, bytes.length);
  if (scan.found !== 'whole') return false;
  const { destination, source, information, segmented } = scan.value;
  walk.take(1, 'flag');
  walk.take(2, `HDLC: ${scan.length - 1} bytes${segmented ? ', more of the message follows' : ''}`);
  walk.take(destination.length, 'destination address');
  walk.take(source.length, 'source address');
  walk.take(1, 'control');
  if (information.length > 0) {
    walk.take(2, 'header checksum, right');
    walk.take(information.length, CARRIED);
  }
  walk.take(2, 'frame checksum, right');
  return true;
}

function mbus(walk: ByteWalk, bytes: Uint8Array): boolean {
  const scan = scanMbus(bytes, walk.at, bytes.length);
  if (scan.found !== 'whole') return false;
  const { number, last, data } = scan.value;
  walk.take(4, 'M-Bus: start, length twice, start');
  walk.take(2, 'C field and address');
  walk.take(1, `CI: segment ${number}${last ? ', the last' : ''}`);
  walk.take(2, 'transport addresses');
  walk.take(data.length, CARRIED);
  walk.take(1, 'checksum, right');
  walk.take(1, 'end');
  return true;
}

function wrapper(walk: ByteWalk, bytes: Uint8Array): boolean {
  const scan = scanWrapper(bytes, walk.at, bytes.length, bytes.length);
  if (scan.found !== 'whole') return false;
  const { source, destination, apdu } = scan.value;
  walk.take(2, 'wrapper, version 1');
  walk.take(4, `from ${source} to ${destination}`);
  walk.take(2, `${apdu.length} bytes follow`);
  walk.take(apdu.length, CARRIED);
  return true;
}

/** A ciphered message without frame. */
function ciphered(walk: ByteWalk): boolean {
  const apdu = readCiphered(walk.ahead(), walk.left);
  if (!apdu?.ok) return false;
  const { systemTitle, invocationCounter, payload, length } = apdu.value;
  walk.take(1, 'ciphered message');
  walk.take(1 + systemTitle.length, 'system title, with its length');
  walk.take(length - payload.length - 2 - systemTitle.length, `length: ${payload.length} bytes`);
  walk.take(1, 'security control');
  walk.take(4, `invocation counter ${invocationCounter}`);
  walk.take(payload.length - 5, 'enciphered, with the authentication tag where there is one');
  return true;
}

function notification(apdu: Uint8Array): ExplainedSection {
  const walk = new ByteWalk(apdu);
  const isData = walk.peek() === DATA_NOTIFICATION;
  walk.take(1, isData ? 'data-notification' : 'event-notification');
  if (isData) {
    walk.take(4, 'invoke id and priority');
    walk.take(dateTimeBytes(walk), (b) => (b.length === 1 ? 'no date and time' : 'date and time'));
  } else {
    walk.take(1, 'whether a time follows');
    if (apdu[1] === 1) walk.take(dateTimeBytes(walk), 'date and time');
    walk.take(2, 'class');
    walk.take(6, (b) => `OBIS ${formatObis(b)}`);
    walk.take(1, 'attribute');
  }
  data(walk);
  return { title: 'the message in clear', rows: walk.rows };
}

/** Some makers put the tag of an octet-string before it. */
const dateTimeBytes = (walk: ByteWalk): number => {
  const tagged = walk.peek() === TAG.octets && walk.peek(1) === 12 ? 1 : 0;
  return 1 + tagged + walk.peek(tagged);
};

/** Heads of arrays and structures as rows of their own, so that what is within keeps its place. */
function data(walk: ByteWalk): void {
  while (walk.left > 0) {
    const tag = walk.peek();
    const reader = new AxdrReader(walk.ahead(), 1);
    if (tag === TAG.array || tag === TAG.structure) {
      const count = reader.length();
      if (count < 0) break;
      walk.take(reader.at, `${tag === TAG.array ? 'array' : 'structure'} of ${count}`);
      continue;
    }
    const element = new AxdrReader(walk.ahead());
    const value = element.next();
    if (!value) break;
    walk.take(element.at, means(value));
  }
  walk.rest('cannot be read');
}

function means(value: Data): string {
  switch (value.kind) {
    case 'null':
      return 'null';
    case 'octets':
      return octets(value.bytes);
    case 'text':
      return `text "${value.text}"`;
    case 'bits':
      return `${value.count} bits`;
    case 'dateTime':
    case 'date':
    case 'time':
      return `${value.kind} ${toHex(value.bytes)}`;
    case 'array':
    case 'structure':
      return `compact array of ${value.items.length}`;
    default:
      return `${value.kind} ${value.value}`;
  }
}

function octets(bytes: Uint8Array): string {
  if (bytes.length === 6) return `OBIS ${formatObis(bytes)}`;
  const text = Buffer.from(bytes).toString('latin1');
  return PRINTABLE.test(text) ? `octets "${text}"` : `octets ${toHex(bytes)}`;
}
