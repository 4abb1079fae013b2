/** What a meter reads in requests: the fields of an AARQ, the parameters of selective access. */
import { AxdrReader } from '../../firmware/codecs/dlms/axdr.ts';

export interface ReadBytes {
  readonly length: number;
  /** Selector 1: from and to as the 12 bytes of date-times. Selector 2: entries from 1 on. */
  readonly range?: readonly [Uint8Array, Uint8Array];
  readonly entries?: readonly [number, number];
  readonly mechanism?: number;
  readonly authentication?: Uint8Array;
  readonly title?: Uint8Array;
  readonly initiate?: Uint8Array;
}

export function readBytes(bytes: Uint8Array, selection = false): ReadBytes {
  return selection ? readSelection(bytes) : readAarq(bytes);
}

function readSelection(bytes: Uint8Array): ReadBytes {
  const reader = new AxdrReader(bytes, 1);
  const data = reader.next();
  const items = data?.kind === 'structure' ? data.items : [];
  const length = reader.at;
  if (bytes[0] === 1) {
    const [, from, to] = items;
    if (from?.kind === 'octets' && to?.kind === 'octets') return { length, range: [from.bytes, to.bytes] };
  }
  const [from, to] = items;
  if (from?.kind !== 'integer' || to?.kind !== 'integer') return { length };
  return { length, entries: [Number(from.value), Number(to.value)] };
}

function readAarq(aarq: Uint8Array): ReadBytes {
  const fields = new Map<number, Uint8Array>();
  const long = aarq[1] === 0x81 ? 3 : 2;
  for (let at = long; at < aarq.length; ) {
    const size = aarq[at + 1] === 0x81 ? 3 : 2;
    const length = aarq[at + size - 1] ?? 0;
    fields.set(aarq[at] ?? 0, aarq.slice(at + size, at + size + length));
    at += size + length;
  }
  const inner = (tag: number): Uint8Array | undefined => {
    const field = fields.get(tag);
    return field?.slice(field[1] === 0x81 ? 3 : 2);
  };
  const mechanism = fields.get(0x8b)?.at(-1);
  const authentication = inner(0xac);
  const title = inner(0xa6);
  const initiate = inner(0xbe);
  return {
    length: aarq.length,
    ...(mechanism !== undefined && { mechanism }),
    ...(authentication && { authentication }),
    ...(title && { title }),
    ...(initiate && { initiate }),
  };
}
