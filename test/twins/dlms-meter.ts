/**
 * A meter that is asked over DLMS: HDLC or wrapper bytes, associations with none, a password or GMAC, GET of all
 * forms, a load profile with selective access. Misbehaves on request.
 */

import { encodeLength } from '../../firmware/codecs/bytes.ts';
import { proofOf, protect, type Security, unprotect } from '../../firmware/codecs/dlms/cipher.ts';
import { concat, octets, word16, word32 } from '../../firmware/codecs/dlms/encode.ts';
import { encodeWrapper, scanWrapper } from '../../firmware/codecs/dlms/wrapper.ts';
import { HdlcDecoder } from '../../firmware/codecs/hdlc/decoder.ts';
import { encodeHdlc, type HdlcFrame } from '../../firmware/codecs/hdlc/frame.ts';
import { encodeParameters } from '../../firmware/codecs/hdlc/parameters.ts';
import { type ReadBytes, readBytes } from './dlms-server-bytes.ts';

/** `class/A-B:C.D.E*F/attribute` → A-XDR, or the code of a data access result. */
export type Objects = Map<string, (selection: ReadBytes | null) => Uint8Array | number>;

export type DlmsMisbehaviour =
  | 'silent'
  | 'losesAnswers'
  | 'losesRequests'
  | 'badFcs'
  | 'notReady'
  | 'foreignFrames'
  | 'wrongTag'
  | 'replays'
  | 'inClear'
  | 'wrongInvokeId'
  | 'wrongBlock'
  | 'counterTooLow'
  | 'refuses'
  | 'wrongProof';

export interface DlmsTwinOptions {
  readonly carrier: 'hdlc' | 'wrapper';
  readonly objects: Objects;
  readonly mechanism?: 'none' | 'low' | 'gmac';
  readonly password?: string;
  /** With the meter's own title. */
  readonly security?: Security;
  /** Answers longer than this go in data blocks. */
  readonly maxPdu_bytes?: number;
  readonly maxInfo_bytes?: number;
  readonly window?: number;
  /** Without the conformance for lists, as smaller meters. */
  readonly lists?: boolean;
  /** Answers an association of the public client without security, as smart meters do. */
  readonly publicReads?: boolean;
}

const MECHANISM = { none: 0, low: 1, gmac: 5 };
const CHALLENGE = Uint8Array.from({ length: 16 }, (_, i) => 0x40 + i);

export class DlmsTwin {
  readonly misbehaves = new Set<DlmsMisbehaviour>();
  /** Requests that were answered, in clear. */
  readonly requests: string[] = [];
  /** Bytes sent, and the one after which the line goes dead; Infinity for never. */
  sent = 0;
  diesAfter_bytes = Number.POSITIVE_INFINITY;
  died: () => void = () => {};
  private readonly options: DlmsTwinOptions;
  private readonly reply: (bytes: Uint8Array) => void;
  private decoder = new HdlcDecoder();
  private held: Uint8Array = new Uint8Array(0);
  private connected = false;
  private vs = 0;
  private vr = 0;
  private pending: Uint8Array[] = [];
  private window: Uint8Array[] = [];
  private incoming: Uint8Array = new Uint8Array(0);
  private associated = false;
  private proven = false;
  private clientTitle: Uint8Array = new Uint8Array(8);
  private clientChallenge: Uint8Array = new Uint8Array(0);
  private counter = 0;
  /** The last counter that the client used. */
  lastClientCounter = 0;
  private isPublic = false;
  private blocks: Uint8Array[] = [];
  private turn = 0;
  private heard = 0;

  constructor(options: DlmsTwinOptions, reply: (bytes: Uint8Array) => void) {
    this.options = options;
    this.reply = reply;
  }

  /** A new connection: nothing of the old one is known. */
  reset(): void {
    this.decoder = new HdlcDecoder();
    this.held = new Uint8Array(0);
    this.connected = false;
    this.associated = false;
    this.proven = false;
    this.sent = 0;
  }

  take(bytes: Uint8Array): void {
    if (this.misbehaves.has('silent')) return;
    if (this.options.carrier === 'hdlc') {
      for (const decoded of this.decoder.push(bytes)) if (decoded.ok) this.frame(decoded.frame);
      return;
    }
    this.held = concat(this.held, bytes);
    for (;;) {
      const scan = scanWrapper(this.held, 0, this.held.length, 0xffff);
      if (scan.found !== 'whole') return;
      this.held = this.held.slice(scan.length);
      const { source, destination, apdu } = scan.value;
      const answer = this.apdu(apdu);
      if (answer) this.write(encodeWrapper({ source: destination, destination: source, apdu: answer }));
    }
  }

  private write(bytes: Uint8Array): void {
    if (this.sent + bytes.length > this.diesAfter_bytes) {
      this.reply(bytes.slice(0, Math.max(0, this.diesAfter_bytes - this.sent)));
      this.died();
      return;
    }
    this.sent += bytes.length;
    this.reply(bytes);
  }

  // HDLC

  private frame(frame: HdlcFrame): void {
    const { control } = frame;
    if (this.misbehaves.has('losesRequests') && ++this.heard % 3 === 0) return;
    if (control === 0x93) {
      this.connected = !this.misbehaves.has('refuses');
      this.vs = this.vr = 0;
      this.pending = this.window = [];
      const size = this.options.maxInfo_bytes ?? 128;
      const window = this.options.window ?? 1;
      const given = { maxInfoSend: size, maxInfoReceive: size, windowSend: window, windowReceive: window };
      this.answer(frame, this.connected ? 0x73 : 0x1f, encodeParameters(given));
    } else if (control === 0x53) {
      this.answer(frame, this.connected ? 0x73 : 0x1f);
      this.connected = this.associated = this.proven = false;
    } else if (!this.connected) this.answer(frame, 0x1f);
    else if ((control & 0x0f) === 1) this.supervisory(frame);
    else if ((control & 1) === 0) this.information(frame);
  }

  private supervisory(frame: HdlcFrame): void {
    const next = frame.control >> 5;
    const unacknowledged = (this.vs - next) & 7;
    if (this.misbehaves.has('notReady') && this.turn++ % 4 === 0) {
      this.answer(frame, (this.vr << 5) | 0x15);
      return;
    }
    this.window = unacknowledged === 0 ? [] : this.window.slice(-unacknowledged);
    if (this.window.length > 0) this.sendWindow(frame, (this.vs - this.window.length) & 7);
    else if (this.pending.length > 0) this.next(frame);
    else this.answer(frame, (this.vr << 5) | 0x11);
  }

  private information(frame: HdlcFrame): void {
    const final = (frame.control & 0x10) !== 0;
    if (((frame.control >> 1) & 7) !== this.vr) {
      if (final) this.answer(frame, (this.vr << 5) | 0x11);
      return;
    }
    this.vr = (this.vr + 1) & 7;
    this.window = [];
    this.incoming = concat(this.incoming, frame.information);
    if (frame.segmented) {
      if (final) this.answer(frame, (this.vr << 5) | 0x11);
      return;
    }
    const apdu = this.incoming.slice(3);
    this.incoming = new Uint8Array(0);
    const answer = this.apdu(apdu);
    if (!answer) return;
    const whole = concat(Uint8Array.of(0xe6, 0xe7, 0), answer);
    const size = this.options.maxInfo_bytes ?? 128;
    for (let at = 0; at < whole.length; at += size) this.pending.push(whole.slice(at, at + size));
    if (this.misbehaves.has('notReady')) this.answer(frame, (this.vr << 5) | 0x15);
    else this.next(frame);
  }

  private next(frame: HdlcFrame): void {
    const from = this.vs;
    this.window = this.pending.splice(0, this.options.window ?? 1);
    this.vs = (this.vs + this.window.length) & 7;
    this.sendWindow(frame, from);
  }

  private sendWindow(frame: HdlcFrame, from: number): void {
    for (const [i, information] of this.window.entries()) {
      const last = i === this.window.length - 1;
      const control = (this.vr << 5) | (last ? 0x10 : 0) | (((from + i) & 7) << 1);
      this.answer(frame, control, information, !last || this.pending.length > 0);
    }
  }

  private answer(
    to: HdlcFrame,
    control: number,
    information: Uint8Array = new Uint8Array(0),
    segmented = false,
  ): void {
    const { source, destination } = to;
    const bytes = encodeHdlc({ source: destination, destination: source, control, segmented, information });
    const turn = ++this.turn;
    if (this.misbehaves.has('losesAnswers') && turn % 3 === 0) return;
    if (this.misbehaves.has('badFcs') && turn % 3 === 0) bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
    if (this.misbehaves.has('foreignFrames')) {
      const other = { source: Uint8Array.of(0x05), destination: source, control: 0x52, segmented: false };
      this.write(encodeHdlc({ ...other, information: Uint8Array.of(0xe6, 0xe7, 0, 0xc4, 1, 0xc1, 1, 4) }));
    }
    this.write(bytes);
  }

  // COSEM

  private apdu(apdu: Uint8Array): Uint8Array | null {
    if (apdu[0] === 0x60) return this.association(apdu);
    if (apdu[0] === 0x62)
      return this.options.security ? Uint8Array.of(0xd8, 1, 1) : Uint8Array.of(0x63, 3, 0x80, 1, 0);
    if (!this.associated) return Uint8Array.of(0xd8, 1, 2);
    const { security } = this.options;
    if (!security || this.isPublic) return this.service(apdu);
    const client = unprotect(apdu, security, this.clientTitle);
    if (!client.ok || client.value.counter <= this.lastClientCounter) return Uint8Array.of(0xd8, 1, 5);
    this.lastClientCounter = client.value.counter;
    const plain = this.service(client.value.plain);
    if (!plain || this.misbehaves.has('inClear')) return plain;
    this.counter += this.misbehaves.has('replays') ? 0 : 1;
    const sealed = protect(plain, security, this.counter);
    if (this.misbehaves.has('wrongTag')) sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    return sealed;
  }

  private association(aarq: Uint8Array): Uint8Array {
    const { mechanism = 'none', security, password = '' } = this.options;
    const fields = readBytes(aarq);
    const asked = fields.mechanism ?? 0;
    const right =
      (asked === MECHANISM[mechanism] || (this.options.publicReads === true && asked === 0)) &&
      (mechanism !== 'low' || Buffer.from(fields.authentication ?? []).toString() === password);
    if (fields.title) this.clientTitle = Uint8Array.from(fields.title);
    this.clientChallenge = Uint8Array.from(fields.authentication ?? []);
    this.isPublic = this.options.publicReads === true && !fields.title;
    if (security && !this.isPublic) {
      const opened = unprotect(fields.initiate ?? new Uint8Array(0), security, this.clientTitle);
      if (this.misbehaves.has('counterTooLow') && opened.ok && opened.value.counter < 5000)
        return Uint8Array.from([0xd8, 1, 6, ...word32(5000)]);
      if (!opened.ok) return Uint8Array.of(0xd8, 1, 5);
      this.lastClientCounter = opened.value.counter;
    }
    this.associated = right;
    this.proven = mechanism !== 'gmac';
    const conformance = [0x00, this.options.lists === false ? 0x10 : 0x12, 0x15];
    const initiate = Uint8Array.from([
      8,
      0,
      6,
      0x5f,
      0x1f,
      4,
      0,
      ...conformance,
      ...word16(this.maxPdu),
      0,
      7,
    ]);
    const ciphers = security && !this.isPublic;
    const information = ciphers ? protect(initiate, security, ++this.counter) : initiate;
    const context = [0x60, 0x85, 0x74, 5, 8, 1, ciphers ? 3 : 1];
    const body = concat(
      Uint8Array.from([0xa1, 9, 6, 7, ...context]),
      Uint8Array.of(0xa2, 3, 2, 1, right ? 0 : 1),
      Uint8Array.of(0xa3, 5, 0xa1, 3, 2, 1, right ? (mechanism === 'gmac' ? 14 : 0) : 13),
      ciphers ? concat(Uint8Array.of(0xa4, 10, 4, 8), security.systemTitle) : new Uint8Array(0),
      mechanism === 'gmac' ? concat(Uint8Array.of(0xaa, 18, 0x80, 16), CHALLENGE) : new Uint8Array(0),
      concat(Uint8Array.of(0xbe, information.length + 2, 4, information.length), information),
    );
    return concat(Uint8Array.of(0x61), encodeLength(body.length), body);
  }

  private get maxPdu(): number {
    return this.options.maxPdu_bytes ?? 0xffff;
  }

  private service(apdu: Uint8Array): Uint8Array | null {
    const [tag, form, invoke = 0] = apdu;
    const id = this.misbehaves.has('wrongInvokeId') ? invoke ^ 1 : invoke;
    if (tag === 0xc3) return this.proof(apdu.slice(13), id);
    if (tag !== 0xc0 || !this.proven) return Uint8Array.of(0xd8, 1, 1);
    if (form === 2) return this.block(id, new DataView(apdu.buffer, apdu.byteOffset).getUint32(3));
    const list = form === 3;
    const answers: Uint8Array[] = [];
    let rest: Uint8Array = apdu.slice(list ? 4 : 3);
    for (let i = 0; i < (list ? (apdu[3] ?? 0) : 1); i++) {
      const [answer, after] = this.attribute(rest);
      answers.push(answer);
      rest = after;
    }
    const [only = new Uint8Array(0)] = answers;
    const content = list ? concat(encodeLength(answers.length), ...answers) : only;
    if (content.length + 4 <= this.maxPdu) return concat(Uint8Array.of(0xc4, list ? 3 : 1, id), content);
    const raw = list ? content : only.slice(1);
    const size = this.maxPdu - 12;
    this.blocks = [];
    for (let at = 0; at < raw.length; at += size) this.blocks.push(raw.slice(at, at + size));
    return this.block(id, 0);
  }

  private block(id: number, after: number): Uint8Array {
    const data = this.blocks[after];
    if (!data) return Uint8Array.from([0xc4, 2, id, 1, ...word32(after + 1), 1, 19]);
    const number = after + 1 + (this.misbehaves.has('wrongBlock') && after > 0 ? 1 : 0);
    const last = after === this.blocks.length - 1 ? 1 : 0;
    return concat(
      Uint8Array.from([0xc4, 2, id, last, ...word32(number), 0]),
      encodeLength(data.length),
      data,
    );
  }

  /** The answer to the attribute that `bytes` begin with, and what stands behind it. */
  private attribute(bytes: Uint8Array): [Uint8Array, Uint8Array] {
    const [a, b, c, d, e, f] = bytes.slice(2, 8);
    const name = `${((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)}/${a}-${b}:${c}.${d}.${e}*${f}/${bytes[8]}`;
    this.requests.push(name);
    const selected = bytes[9] === 1 ? readBytes(bytes.slice(10), true) : null;
    const value = this.options.objects.get(name)?.(selected) ?? 4;
    const answer = typeof value === 'number' ? Uint8Array.of(1, value) : concat(Uint8Array.of(0), value);
    return [answer, bytes.slice(10 + (selected?.length ?? 0))];
  }

  /** `f(StoC)` in, `f(CtoS)` out (HLS 5). */
  private proof(parameter: Uint8Array, id: number): Uint8Array {
    const { security } = this.options;
    if (!security) return Uint8Array.of(0xc7, 1, id, 250, 0);
    const given = parameter.slice(2);
    const counter = new DataView(given.buffer, given.byteOffset).getUint32(1);
    const expected = proofOf(CHALLENGE, { ...security, systemTitle: this.clientTitle }, counter);
    if (Buffer.compare(given, expected) !== 0) return Uint8Array.of(0xc7, 1, id, 250, 0);
    this.proven = true;
    const own = proofOf(this.clientChallenge, security, ++this.counter);
    if (this.misbehaves.has('wrongProof')) own[16] = (own[16] ?? 0) ^ 1;
    return concat(Uint8Array.of(0xc7, 1, id, 0, 1, 0), octets(own));
  }
}
