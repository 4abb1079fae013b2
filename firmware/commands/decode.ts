/** `hearth decode`: JSON Lines in, one answer a line out, in the same order, never stopping at a bad line. */
import { once } from 'node:events';
import { fromHex } from '../codecs/bytes.ts';
import { DECODE_KINDS, EXPLAIN_KINDS } from '../codecs/kinds.ts';
import { type Fault, fault, faultOf, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { meaningOf, parseObis } from '../domain/obis.ts';
import { QUANTITIES } from '../domain/quantity.ts';
import type { DecodeInput, DecodeOutput, Reading, Telegram } from '../domain/telegram.ts';
import { explainedText } from './explained-text.ts';

interface Request {
  readonly kind: string;
  readonly input: DecodeInput;
}

export interface DecodeOptions {
  /** For a person: each byte by name, in place of the readings. */
  readonly explain?: boolean;
}

/** Answers every line of `input` on `output`; waits when the reader of the output is slower. */
export async function decode(
  input: AsyncIterable<Buffer | string>,
  output: NodeJS.WritableStream,
  { explain = false }: DecodeOptions = {},
): Promise<void> {
  for await (const line of lines(input)) {
    if (line.trim() === '') continue;
    const text = explain ? explanation(line) : `${JSON.stringify(answer(line))}\n`;
    if (!output.write(text)) await once(output, 'drain');
  }
}

async function* lines(input: AsyncIterable<Buffer | string>): AsyncIterable<string> {
  let rest = '';
  for await (const chunk of input) {
    rest += typeof chunk === 'string' ? chunk : chunk.toString('utf8');
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
    if (rest.length > LIMITS.decodeLine_bytes) {
      yield '"too long"';
      rest = '';
    }
  }
  if (rest !== '') yield rest;
}

/** Each byte of one line's telegram by name; one line of text where there is nothing to explain. */
export function explanation(line: string): string {
  const { id, request } = readLine(line);
  if (!request.ok) return `${request.error.code}: ${request.error.message}\n`;
  const { kind, input } = request.value;
  const explain = Object.hasOwn(EXPLAIN_KINDS, kind) ? EXPLAIN_KINDS[kind] : undefined;
  if (!explain) return `UNSUPPORTED: kind "${kind.slice(0, 40)}" has no explanation\n`;
  try {
    return explainedText(`${id ?? kind}`, explain(input));
  } catch (error) {
    const { code, message } = faultOf(error);
    return `${code}: ${message}\n`;
  }
}

interface Line {
  readonly id: unknown;
  readonly request: Result<Request>;
}

function readLine(line: string): Line {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { id: null, request: refuse('BAD_VALUE', 'the line is not JSON') };
  }
  const id = typeof parsed === 'object' && parsed !== null && 'id' in parsed ? parsed.id : null;
  return { id, request: requestOf(parsed) };
}

/** The answer to one line, ready to be printed. */
export function answer(line: string): object {
  const { id, request } = readLine(line);
  if (!request.ok) return failure(id, request.error, 0);
  const kind = Object.hasOwn(DECODE_KINDS, request.value.kind) ? DECODE_KINDS[request.value.kind] : undefined;
  if (!kind)
    return failure(
      id,
      fault(
        'UNSUPPORTED',
        `no kind "${request.value.kind.slice(0, 40)}"; known: ${Object.keys(DECODE_KINDS).join(', ')}`,
      ),
      0,
    );
  try {
    return result(id, kind(request.value.input));
  } catch (error) {
    return failure(id, faultOf(error), request.value.input.bytes.length);
  }
}

function result(id: unknown, { telegrams, faults, discarded }: DecodeOutput): object {
  if (telegrams.length === 0) return failure(id, faults[0] ?? fault('NO_TELEGRAM'), discarded);
  return { id, ok: true, telegrams: telegrams.map(named), ...(discarded > 0 && { discarded }) };
}

/** Says what a code means where the table of the house knows it. */
function named(telegram: Telegram): Telegram {
  return { ...telegram, readings: telegram.readings.map((r) => ({ ...quantityOf(r), ...r })) };
}

function quantityOf(reading: Reading): { quantity?: string } {
  const obis = reading.obis === undefined ? null : parseObis(reading.obis);
  const meaning = obis && meaningOf(obis);
  return meaning && reading.unit === QUANTITIES[meaning.quantity].unit ? { quantity: meaning.quantity } : {};
}

const failure = (id: unknown, error: Fault, discarded: number): object => ({
  id,
  ok: false,
  error,
  discarded,
});

function requestOf(parsed: unknown): Result<Request> {
  const bad = (message: string): Result<Request> => ({ ok: false, error: fault('BAD_VALUE', message) });
  if (typeof parsed !== 'object' || parsed === null) return bad('the line is not an object');
  const { kind, hex, key, auth_key, preceding } = parsed as Record<string, unknown>;
  if (typeof kind !== 'string' || typeof hex !== 'string') return bad('kind and hex must be text');
  const bytes = fromHex(hex);
  if (!bytes) return bad('hex is not an even number of hexadecimal digits');
  const keyBytes = optionalHex(key);
  const authBytes = optionalHex(auth_key);
  if (keyBytes === null || authBytes === null) return bad('a key is not hexadecimal');
  const earlier = Array.isArray(preceding)
    ? preceding.map((p) => (typeof p === 'string' ? fromHex(p) : null))
    : [];
  if (earlier.some((p) => p === null)) return bad('preceding must be a list of hexadecimal texts');
  const input: DecodeInput = {
    bytes,
    ...(keyBytes && { key: keyBytes }),
    ...(authBytes && { authKey: authBytes }),
    preceding: earlier.filter((p) => p !== null),
  };
  return { ok: true, value: { kind, input } };
}

/** Undefined when absent, null when not hexadecimal. */
function optionalHex(text: unknown): Uint8Array | null | undefined {
  if (text === undefined || text === null) return undefined;
  return typeof text === 'string' ? fromHex(text) : null;
}
