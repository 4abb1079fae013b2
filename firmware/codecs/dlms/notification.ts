/** The unconfirmed services a meter sends by itself (IEC 62056-5-3, 9.3.10 and 9.3.11). */
import { fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { AxdrReader, type Data } from './axdr.ts';

export const DATA_NOTIFICATION = 0x0f;
export const EVENT_NOTIFICATION = 0xc2;

export interface CosemAttribute {
  readonly classId: number;
  /** Logical name, six bytes. */
  readonly obis: Uint8Array;
  readonly attribute: number;
}

export interface Notification {
  /** Long-invoke-id-and-priority of a data-notification. */
  readonly invokeId: number | null;
  /** The 12 bytes of its date-time, null when it is left out. */
  readonly dateTime: Uint8Array | null;
  /** Only an event-notification names the attribute that its value is of. */
  readonly attribute: CosemAttribute | null;
  readonly body: Data;
  /** Bytes behind the value. */
  readonly trailing: number;
}

export function readNotification(apdu: Uint8Array): Result<Notification> {
  const reader = new AxdrReader(apdu, 1);
  if (apdu[0] === DATA_NOTIFICATION) return dataNotification(reader);
  if (apdu[0] === EVENT_NOTIFICATION) return eventNotification(reader);
  return refuse('BAD_FRAME', 'the message is no notification');
}

function dataNotification(reader: AxdrReader): Result<Notification> {
  const id = reader.take(4);
  const dateTime = id && dateTimeOf(reader);
  const body = dateTime && reader.next();
  if (!body) return failed(reader, 'the head of a data-notification has another form');
  const [a = 0, b = 0, c = 0, d = 0] = id;
  return ok({
    invokeId: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0,
    dateTime: dateTime.length === 0 ? null : dateTime,
    attribute: null,
    body,
    trailing: reader.bytes.length - reader.at,
  });
}

/** Left out (00), as the standard has it (0C and 12 bytes), or with the tag of an octet-string before it (Kaifa). */
function dateTimeOf(reader: AxdrReader): Uint8Array | null {
  const { bytes, at } = reader;
  if (bytes[at] === 0x09 && bytes[at + 1] === 12) reader.at++;
  const length = reader.length();
  return length === 0 || length === 12 ? reader.take(length) : null;
}

/** `C2 | 00, or 01 and a date-time | class 2 | logical name 6 | attribute 1 | data`. */
function eventNotification(reader: AxdrReader): Result<Notification> {
  const given = reader.take(1)?.[0];
  const dateTime = given === 1 ? dateTimeOf(reader) : given === 0 ? new Uint8Array(0) : null;
  const name = dateTime && reader.take(9);
  const body = name && reader.next();
  if (!body) return failed(reader, 'the head of an event-notification has another form');
  return ok({
    invokeId: null,
    dateTime: dateTime.length === 0 ? null : dateTime,
    attribute: {
      classId: ((name[0] ?? 0) << 8) | (name[1] ?? 0),
      obis: name.subarray(2, 8),
      attribute: name[8] ?? 0,
    },
    body,
    trailing: reader.bytes.length - reader.at,
  });
}

const failed = (reader: AxdrReader, otherwise: string): Result<Notification> => ({
  ok: false,
  error: reader.fault ?? fault('BAD_FRAME', otherwise),
});
