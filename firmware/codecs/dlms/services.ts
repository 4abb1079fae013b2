/** GET and ACTION of COSEM with logical names (IEC 62056-5-3, 9.3.4 to 9.3.6), requests and responses. */
import { fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { encodeLength } from '../bytes.ts';
import { AxdrReader, type Data } from './axdr.ts';
import { array, concat, octets, structure, uint16, uint32, word16, word32 } from './encode.ts';
import type { CosemAttribute } from './notification.ts';

/** An attribute, and which part of it is asked for. */
export interface Asked extends CosemAttribute {
  /** Selector and its parameters, of `byRange` or `byEntry`. */
  readonly selection?: Uint8Array;
}

/** Data access results (IEC 62056-5-3, data-access-result). */
const ACCESS_ERRORS: Readonly<Record<number, string>> = {
  1: 'hardware-fault',
  2: 'temporary-failure',
  3: 'read-write-denied',
  4: 'object-undefined',
  9: 'object-class-inconsistent',
  11: 'object-unavailable',
  12: 'type-unmatched',
  13: 'scope-of-access-violated',
  14: 'data-block-unavailable',
  15: 'long-get-aborted',
  16: 'no-long-get-in-progress',
  17: 'long-set-aborted',
  18: 'no-long-set-in-progress',
  19: 'data-block-number-invalid',
  250: 'other-reason',
};
const accessError = (code: number): string => ACCESS_ERRORS[code] ?? `access-error-${code}`;

/** Confirmed, high priority (bits 6 and 7), with the id of the request. */
const invokeByte = (invoke: number): number => 0xc0 | (invoke & 0x0f);

const attributeBytes = ({ classId, obis, attribute, selection }: Asked): Uint8Array =>
  concat(
    Uint8Array.from([...word16(classId), ...obis, attribute]),
    selection ? concat(Uint8Array.of(1), selection) : Uint8Array.of(0),
  );

export function getRequest(asked: readonly Asked[], invoke: number): Uint8Array {
  const [only] = asked;
  if (only && asked.length === 1)
    return concat(Uint8Array.of(0xc0, 0x01, invokeByte(invoke)), attributeBytes(only));
  return concat(
    Uint8Array.of(0xc0, 0x03, invokeByte(invoke)),
    encodeLength(asked.length),
    ...asked.map(attributeBytes),
  );
}

export const getNext = (invoke: number, block: number): Uint8Array =>
  Uint8Array.from([0xc0, 0x02, invokeByte(invoke), ...word32(block)]);

/** ACTION on a method, with one parameter. */
export const actionRequest = (
  { classId, obis, attribute: method }: CosemAttribute,
  invoke: number,
  parameter: Uint8Array,
): Uint8Array =>
  concat(
    Uint8Array.from([0xc3, 0x01, invokeByte(invoke), ...word16(classId), ...obis, method, 1]),
    parameter,
  );

const CLOCK = { classId: 8, obis: Uint8Array.of(0, 0, 1, 0, 0, 255), attribute: 2 };

/** Selector 1 of a profile's buffer: from and to, both included, as the 12 bytes of date-times. */
export const byRange = (from: Uint8Array, to: Uint8Array): Uint8Array =>
  concat(
    Uint8Array.of(1),
    structure(
      structure(uint16(CLOCK.classId), octets(CLOCK.obis), Uint8Array.of(0x0f, CLOCK.attribute), uint16(0)),
      octets(from),
      octets(to),
      array(),
    ),
  );

/** Selector 2: entries from 1 on, 0 for the last one; all columns. */
export const byEntry = (from: number, to: number): Uint8Array =>
  concat(Uint8Array.of(2), structure(uint32(from), uint32(to), uint16(1), uint16(0)));

export type Answer =
  | { readonly ok: true; readonly data: Data }
  /** The name of the data access result: `read-write-denied`. */
  | { readonly ok: false; readonly error: string };

export type Response =
  | { readonly kind: 'answers'; readonly invoke: number; readonly answers: readonly Answer[] }
  | {
      readonly kind: 'block';
      readonly invoke: number;
      readonly number: number;
      readonly last: boolean;
      /** Null with the name of the error. */
      readonly raw: Uint8Array | null;
      readonly error: string;
    }
  | { readonly kind: 'action'; readonly invoke: number; readonly result: number; readonly data: Data | null };

/** A GET or ACTION response in clear. Bytes behind the value are left alone: one server appends some. */
export function readResponse(apdu: Uint8Array): Result<Response> {
  const [tag, form = 0, invokeId = 0] = apdu;
  const reader = new AxdrReader(apdu, 3, { elements: LIMITS.dlmsTransferElements });
  const invoke = invokeId & 0x0f;
  if (tag === 0xc7 && form === 1) return actionResponse(reader, invoke);
  if (tag !== 0xc4)
    return refuse('WRONG_ANSWER', `a message ${(tag ?? 0).toString(16)}h is no answer to a GET`);
  if (form === 2) return blockResponse(reader, invoke);
  if (form !== 1 && form !== 3) return refuse('BAD_FRAME', `no GET response has the form ${form}`);
  const answers = readAnswers(reader, form === 3);
  return answers.ok ? ok({ kind: 'answers', invoke, answers: answers.value }) : answers;
}

/** What stands in an answer, or in the joined blocks of a list. */
function readAnswers(reader: AxdrReader, list: boolean): Result<readonly Answer[]> {
  const count = list ? reader.length() : 1;
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) {
    const answer = readAnswer(reader);
    if (!answer) break;
    answers.push(answer);
  }
  if (answers.length === count && count >= 0) return ok(answers);
  return { ok: false, error: reader.fault ?? fault('BAD_FRAME', 'the answer cannot be read') };
}

function readAnswer(reader: AxdrReader): Answer | null {
  const choice = reader.take(1)?.[0];
  if (choice === 1) {
    const code = reader.take(1)?.[0];
    return code === undefined ? null : { ok: false, error: accessError(code) };
  }
  const data = choice === 0 ? reader.next() : null;
  return data && { ok: true, data };
}

function blockResponse(reader: AxdrReader, invoke: number): Result<Response> {
  const head = reader.take(6);
  const view = head && new DataView(head.buffer, head.byteOffset, head.length);
  if (!head || !view) return refuse('CUT_FRAME', 'a data block ends in its head');
  const block = { kind: 'block', invoke, last: head[0] !== 0, number: view.getUint32(1) } as const;
  if (head[5] === 1) {
    const code = reader.take(1)?.[0] ?? 250;
    return ok({ ...block, raw: null, error: accessError(code) });
  }
  const raw = head[5] === 0 ? reader.take(reader.length()) : null;
  return raw
    ? ok({ ...block, raw: raw.slice(), error: '' })
    : refuse('CUT_FRAME', 'a data block is shorter than it says');
}

function actionResponse(reader: AxdrReader, invoke: number): Result<Response> {
  const head = reader.take(2);
  if (!head) return refuse('CUT_FRAME', 'an ACTION response ends in its head');
  const answer = head[1] === 1 ? readAnswer(reader) : null;
  const data = answer?.ok ? answer.data : null;
  return ok({ kind: 'action', invoke, result: head[0] ?? 250, data });
}

/** The value in the joined blocks of a long answer. */
export function readLong(raw: Uint8Array, list: boolean): Result<readonly Answer[]> {
  const reader = new AxdrReader(raw, 0, { elements: LIMITS.dlmsTransferElements });
  if (list) return readAnswers(reader, true);
  const data = reader.next();
  return data ? ok([{ ok: true, data }]) : refuse('BAD_FRAME', reader.fault?.message ?? 'no value');
}
