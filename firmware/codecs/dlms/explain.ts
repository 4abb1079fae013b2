/** Each byte of a push: the frames that carry it, then its message in clear, field by field. */
import { formatObis } from '../../domain/obis.ts';
import { ascii, toHex } from '../bytes.ts';
import { ByteWalk, type Explain, type ExplainedSection } from '../explain.ts';
import { FLAG, scanHdlc } from '../hdlc/frame.ts';
import { AxdrReader, type Data, TAG } from './axdr.ts';
import { readDateTime, rfc3339 } from './date-time.ts';
import { scanMbus } from './mbus-frame.ts';
import { DATA_NOTIFICATION } from './notification.ts';
import { PushDecoder, type PushFrame } from './push-decoder.ts';
import { scanWrapper, WRAPPER_HEAD_BYTES } from './wrapper.ts';

const WRAPPER_MAX = 0xffff;

/** The line: HDLC frames, M-Bus frames, the wrapper, and what is none of them. */
function carriers(bytes: Uint8Array): ExplainedSection {
  const walk = new ByteWalk(bytes);
  while (walk.left > 0) {
    const { at } = walk;
    const [hdlc, mbus] = [scanHdlc(bytes, at, bytes.length), scanMbus(bytes, at, bytes.length)];
    const wrapper = at === 0 ? scanWrapper(bytes, 0, bytes.length, WRAPPER_MAX) : null;
    if (hdlc.found === 'whole') hdlcFrame(walk, hdlc.value);
    else if (mbus.found === 'whole') mbusFrame(walk, mbus.value);
    else if (wrapper?.found === 'whole') {
      const { source, destination, apdu } = wrapper.value;
      walk.take(
        WRAPPER_HEAD_BYTES,
        `wrapper from port ${source} to port ${destination}, ${apdu.length} bytes`,
      );
      walk.take(apdu.length, 'message, below');
    } else if (hdlc.found === 'bad') walk.take(1, `no frame begins here: ${hdlc.error.message}`);
    else if (mbus.found === 'bad') walk.take(1, `no frame begins here: ${mbus.error.message}`);
    else walk.take(nextFrame(bytes, at) - at, bytes[at] === FLAG ? 'flag' : 'no frame');
  }
  return { title: 'as received', rows: walk.rows };
}

/** Up to the next byte at which a frame may begin. */
function nextFrame(bytes: Uint8Array, from: number): number {
  if (bytes[from] === FLAG) return from + 1;
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== FLAG && bytes[at] !== 0x68) at += 1;
  return at;
}

type Whole<F> = F extends { readonly found: 'whole'; readonly value: infer V } ? V : never;

function hdlcFrame(
  walk: ByteWalk,
  { destination, source, control, segmented, information }: Whole<ReturnType<typeof scanHdlc>>,
): void {
  walk.take(1, 'flag');
  walk.take(2, `HDLC frame${segmented ? ', more segments follow' : ''}`);
  walk.take(destination.length, 'to');
  walk.take(source.length, 'from');
  walk.take(1, `control ${control.toString(16).padStart(2, '0').toUpperCase()}h`);
  if (information.length > 0) {
    walk.take(2, 'checksum of the header (HCS)');
    walk.take(information.length, 'message, below');
  }
  walk.take(2, 'checksum (FCS)');
}

function mbusFrame(walk: ByteWalk, { number, last, data }: Whole<ReturnType<typeof scanMbus>>): void {
  walk.take(4, 'start of an M-Bus frame, length twice');
  walk.take(2, 'control and address');
  walk.take(1, `CI: segment ${number}${last ? ', the last' : ''}`);
  walk.take(2, 'from and to');
  walk.take(data.length, 'message, below');
  walk.take(1, 'checksum');
  walk.take(1, 'stop');
}

/** A message in clear. Heads of arrays and structures are rows of their own. */
function message({ apdu, cipher }: PushFrame): ExplainedSection {
  const walk = new ByteWalk(apdu);
  if (walk.peek() === DATA_NOTIFICATION) {
    walk.take(1, 'data-notification');
    walk.take(4, 'invocation and priority');
    if (walk.peek() === TAG.octets && walk.peek(1) === 12) walk.take(1, 'octet-string');
    if (walk.peek() === 0) walk.take(1, 'no time');
    else {
      walk.take(1, 'length of the time');
      walk.take(12, (time) => `time ${timeText(time)}`);
    }
  } else {
    walk.take(1, 'event-notification');
    if (walk.peek() === 0) walk.take(1, 'no time');
    else {
      walk.take(2, 'time follows');
      walk.take(12, (time) => `time ${timeText(time)}`);
    }
    walk.take(9, (name) => `class ${name[1]}, ${formatObis(name.subarray(2, 8))}, attribute ${name[8]}`);
  }
  values(walk);
  const proof = cipher?.authenticated ? ', its tag matches' : ', without a tag';
  const title = cipher
    ? `message, deciphered: system title ${toHex(cipher.systemTitle)}, counter ${cipher.counter}${proof}`
    : 'message';
  return { title, rows: walk.rows };
}

function values(walk: ByteWalk): void {
  while (walk.left > 0) {
    const tag = walk.peek();
    const reader = new AxdrReader(walk.ahead());
    if (tag === TAG.array || tag === TAG.structure) {
      reader.take(1);
      const count = reader.length();
      if (count < 0) break;
      walk.take(reader.at, `${tag === TAG.array ? 'array' : 'structure'} of ${count}`);
      continue;
    }
    const data = reader.next();
    if (!data) break;
    walk.take(reader.at, means(data, tag));
  }
  walk.rest('cannot be read');
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TAG).map(([name, tag]) => [tag, name]));

function means(data: Data, tag: number): string {
  if (data.kind === 'null') return 'null: nothing here';
  const type = NAMES.get(tag) ?? 'value';
  if (data.kind === 'text') return `${type} "${data.text}"`;
  if (data.kind === 'octets') return octetsText(data.bytes);
  if (data.kind === 'dateTime') return `time ${timeText(data.bytes)}`;
  if ('items' in data) return `compact array of ${data.items.length}`;
  if ('bytes' in data) return `${type} ${toHex(data.bytes)}`;
  return 'value' in data ? `${type} ${data.value}` : type;
}

const PRINTABLE = /^[\x20-\x7e]{2,}$/;

function octetsText(bytes: Uint8Array): string {
  if (bytes.length === 6 && (bytes[0] ?? 0) <= 15) return `OBIS ${formatObis(bytes)}`;
  const text = ascii(bytes);
  if (PRINTABLE.test(text)) return `text "${text}"`;
  return readDateTime(bytes) ? `time ${timeText(bytes)}` : `octets ${toHex(bytes)}`;
}

function timeText(bytes: Uint8Array): string {
  const time = readDateTime(bytes);
  return time ? rfc3339(time) : `${toHex(bytes)}, not a certain instant`;
}

export const explainDlmsPush: Explain = ({ bytes, key, authKey }) => {
  const decoder = new PushDecoder({ bare: true, ...(key && { key }), ...(authKey && { authKey }) });
  const sections = [carriers(bytes)];
  for (const decoded of [...decoder.push(bytes), ...decoder.end()]) {
    if (decoded.ok) sections.push(message(decoded.frame));
    else sections.push({ title: `refused, ${decoded.discarded} bytes: ${decoded.error.message}`, rows: [] });
  }
  return sections;
};
