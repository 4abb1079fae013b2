/**
 * Pushes out of a byte stream, whatever carries them: HDLC (segmented or not), M-Bus frames, the TCP wrapper, or bare
 * messages. Looks at one place of the line after the other; what is damaged costs one byte and the search goes on.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Decoded, Decoder } from '../../domain/telegram.ts';
import { FLAG, type HdlcFrame, scanHdlc } from '../hdlc/frame.ts';
import { withoutLlc } from '../hdlc/llc.ts';
import { MORE, OTHER, type Scan } from '../scan.ts';
import { GENERAL_DED, GENERAL_GLO, lacking, openCiphered, readCiphered } from '../security/gcm.ts';
import { Assembly, GENERAL_BLOCK, readBlock } from './assembly.ts';
import { type MbusSegment, scanMbus } from './mbus-frame.ts';
import { DATA_NOTIFICATION, EVENT_NOTIFICATION, readNotification } from './notification.ts';
import { scanWrapper, WRAPPER_HEAD_BYTES } from './wrapper.ts';

export interface PushFrame {
  /** The notification in clear. */
  readonly apdu: Uint8Array;
  /** Whether the checksum of a frame stands for it. */
  readonly checked: boolean;
  /** Null when it came in clear. */
  readonly cipher: {
    readonly systemTitle: Uint8Array;
    /** Invocation counter; it must grow. */
    readonly counter: number;
    /** False when no tag proved the key: then the content must. */
    readonly authenticated: boolean;
  } | null;
}

export interface PushOptions {
  /** AES key of the meter (global unicast encryption key). */
  readonly key?: Uint8Array;
  /** Global authentication key. */
  readonly authKey?: Uint8Array;
  /**
   * Take messages without any frame, to the end of the input (a capture). On a line only those are taken whose
   * authentication tag matches, because nothing else would prove them.
   */
  readonly bare?: boolean;
}

type Unit =
  | { readonly by: 'hdlc'; readonly frame: HdlcFrame }
  | { readonly by: 'mbus'; readonly segment: MbusSegment }
  | { readonly by: 'whole'; readonly apdu: Uint8Array };

export class PushDecoder implements Decoder<PushFrame> {
  private readonly options: PushOptions;
  private readonly held = new Uint8Array(LIMITS.dlmsPush_bytes);
  private length = 0;
  private skipped = 0;
  /**
   * A message may begin here: the stream does, or whole messages stand before. Wrappers have no checksum; anywhere else
   * one is only believed whose message reads to its end.
   */
  private wrapped = true;
  private readonly segments = new Assembly(LIMITS.dlmsPush_bytes);
  private readonly blocks = new Assembly(LIMITS.dlmsPush_bytes);
  /** The rest of a message whose beginning was given up. */
  private lost = false;
  private out: Decoded<PushFrame>[] = [];

  constructor(options: PushOptions = {}) {
    this.options = options;
  }

  *push(chunk: Uint8Array): Iterable<Decoded<PushFrame>> {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(chunk.length - at, this.held.length - this.length);
      this.held.set(chunk.subarray(at, at + count), this.length);
      this.length += count;
      at += count;
      this.scan(false);
      yield* this.taken();
    }
  }

  *end(): Iterable<Decoded<PushFrame>> {
    this.scan(true);
    this.refuse(this.dropPieces());
    if (this.skipped > 0) this.refuse(fault('NO_TELEGRAM'));
    this.wrapped = true;
    this.lost = false;
    yield* this.taken();
  }

  /** What the bytes so far have given. */
  private taken(): readonly Decoded<PushFrame>[] {
    const { out } = this;
    if (out.length > 0) this.out = [];
    return out;
  }

  private scan(ended: boolean): void {
    let at = 0;
    while (at < this.length) {
      const scan = this.unitAt(at, ended);
      if (scan.found === 'more' && !ended && (at > 0 || this.length < this.held.length)) break;
      if (scan.found === 'whole') {
        at += scan.length;
        this.unit(scan.value);
        continue;
      }
      at++;
      // Flags fill the line between frames; the one at its end has closed the frame before.
      if (this.held[at - 1] === FLAG && (scan.found === 'other' || at === this.length)) continue;
      this.skipped++;
      this.wrapped = false;
      const cut = this.dropPieces();
      if (scan.found === 'bad') this.refuse(scan.error);
      else if (scan.found === 'more') this.refuse(ended ? CUT : TOO_LONG);
      else this.refuse(cut);
    }
    this.held.copyWithin(0, at, this.length);
    this.length -= at;
  }

  /** Pieces do not outlive a gap. */
  private dropPieces(): Fault | null {
    const cut = this.segments.drop() ?? this.blocks.drop();
    this.blocks.drop();
    if (cut) this.lost = true;
    return cut;
  }

  private unitAt(at: number, ended: boolean): Scan<Unit> {
    const { held, length } = this;
    const first = held[at];
    if (first === FLAG) return map(scanHdlc(held, at, length), (frame) => ({ by: 'hdlc', frame }));
    if (first === 0x68) return map(scanMbus(held, at, length), (segment) => ({ by: 'mbus', segment }));
    if (first === 0) return this.wrapperAt(at);
    if (this.options.bare) return at === 0 && this.wrapped ? this.bareAt(ended) : OTHER;
    return first === GENERAL_GLO ? this.provenAt(at) : OTHER;
  }

  private wrapperAt(at: number): Scan<Unit> {
    const { held, length, wrapped } = this;
    const scan = scanWrapper(held, at, length, WRAPPER_BYTES);
    if (scan.found !== 'bad' && !mayBegin(held, at + WRAPPER_HEAD_BYTES, length)) return OTHER;
    if (!wrapped) {
      if (scan.found === 'bad') return OTHER;
      if (scan.found === 'whole' && bareFault(withoutLlc(scan.value.apdu))) return OTHER;
    }
    return map(scan, ({ apdu }) => ({ by: 'whole', apdu }));
  }

  /** A message without frame is all of the input, from its first byte to its last. */
  private bareAt(ended: boolean): Scan<Unit> {
    const apdu = withoutLlc(this.held.subarray(0, this.length));
    if (apdu.length > 0 && !BARE_TAGS.has(apdu[0] ?? 0)) return OTHER;
    if (!ended) return MORE;
    const error = bareFault(apdu);
    if (error) return { found: 'bad', error };
    return { found: 'whole', value: { by: 'whole', apdu: apdu.slice() }, length: this.length };
  }

  /** A ciphered message on the bare line, proven by its tag. */
  private provenAt(at: number): Scan<Unit> {
    const { key, authKey } = this.options;
    const bytes = this.held.subarray(at, this.length);
    if (!key || !authKey || (bytes.length > 1 && bytes[1] !== 8)) return OTHER;
    const apdu = readCiphered(bytes, LIMITS.hdlcFrame_bytes);
    if (apdu === null) return MORE;
    if (!apdu.ok) return OTHER;
    const opened = openCiphered(apdu.value, key, authKey);
    if (!opened.ok || !opened.value.authenticated) return OTHER;
    const { length } = apdu.value;
    return { found: 'whole', value: { by: 'whole', apdu: bytes.slice(0, length) }, length };
  }

  private unit(unit: Unit): void {
    if (unit.by === 'whole') {
      this.wrapped = true;
      this.message(withoutLlc(unit.apdu), false);
      return;
    }
    this.wrapped = false;
    if (unit.by === 'hdlc') this.hdlc(unit.frame);
    else this.piece(unit.segment.data, unit.segment.number, unit.segment.last);
  }

  private hdlc({ information, segmented }: HdlcFrame): void {
    if (information.length === 0) return;
    const apdu = withoutLlc(information);
    // Only the first segment has the LLC header: with one, a new message begins.
    if (this.segments.pending && apdu.length < information.length) this.refuse(this.segments.drop());
    this.piece(apdu, this.segments.count, !segmented);
  }

  private piece(data: Uint8Array, number: number, last: boolean): void {
    if (number === 0) this.refuse(this.segments.drop());
    const whole = this.segments.add(data, number, last);
    if (whole.ok) {
      if (whole.value) this.message(whole.value, true);
    } else if (!this.lost) {
      this.lost = true;
      this.refuse(whole.error);
    }
  }

  private message(apdu: Uint8Array, checked: boolean): void {
    if (apdu[0] !== GENERAL_BLOCK) {
      this.lost = false;
      this.out.push(this.opened(apdu, checked));
      return;
    }
    const block = readBlock(apdu);
    if (!block.ok) {
      this.refuse(block.error);
      return;
    }
    const { number, last, data } = block.value;
    if (number === 1) {
      this.lost = false;
      this.refuse(this.blocks.drop());
    }
    const whole = this.blocks.add(data, number - 1, last);
    if (whole.ok) {
      if (whole.value) this.out.push(this.opened(whole.value, checked));
    } else if (!this.lost) {
      this.lost = true;
      this.refuse(whole.error);
    }
  }

  /** The notification in clear, or why there is none. */
  private opened(apdu: Uint8Array, checked: boolean): Decoded<PushFrame> {
    const tag = apdu[0] ?? 0;
    if (tag === DATA_NOTIFICATION || tag === EVENT_NOTIFICATION)
      return { ok: true, frame: { apdu, checked, cipher: null } };
    if (tag !== GENERAL_GLO && tag !== GENERAL_DED) return this.refused(otherMessage(tag));
    const ciphered = readCiphered(apdu, LIMITS.dlmsPush_bytes);
    if (!ciphered)
      return this.refused(fault('CUT_FRAME', 'the ciphered part is shorter than its length says'));
    if (!ciphered.ok) return this.refused(ciphered.error);
    const { key, authKey } = this.options;
    if (!key) return this.refused(fault('KEY_MISSING', 'the telegram is encrypted and no key is configured'));
    const lacks = lacking(ciphered.value, authKey !== undefined);
    if (lacks) return this.refused(lacks);
    const opened = openCiphered(ciphered.value, key, authKey);
    if (!opened.ok) return this.refused(opened.error);
    const { plain, authenticated } = opened.value;
    if (plain[0] !== DATA_NOTIFICATION && plain[0] !== EVENT_NOTIFICATION)
      return this.refused(
        authenticated
          ? otherMessage(plain[0] ?? 0)
          : fault('KEY_WRONG', 'what the key opens is no DLMS message'),
      );
    const { systemTitle, invocationCounter: counter } = ciphered.value;
    return { ok: true, frame: { apdu: plain, checked, cipher: { systemTitle, counter, authenticated } } };
  }

  private refuse(error: Fault | null): void {
    if (error) this.out.push(this.refused(error));
  }

  private refused(error: Fault): Decoded<PushFrame> {
    const discarded = this.skipped;
    this.skipped = 0;
    return { ok: false, error, discarded };
  }
}

const BARE_TAGS = new Set([DATA_NOTIFICATION, EVENT_NOTIFICATION, GENERAL_GLO, GENERAL_DED, GENERAL_BLOCK]);
/** Ciphered events, general ciphering and signing: refused by name. */
const OTHER_TAGS = new Set([0xca, 0xd2, 0xdd, 0xdf]);
const WRAPPER_BYTES = LIMITS.dlmsPush_bytes - WRAPPER_HEAD_BYTES;
const CUT = fault('CUT_FRAME', 'the telegram ends before it is complete');
const BEHIND = fault('BAD_FRAME', 'bytes stand behind the message');
const TOO_LONG = fault('OVERSIZED', `a telegram longer than ${LIMITS.dlmsPush_bytes} bytes`);

function map<A, B>(scan: Scan<A>, to: (value: A) => B): Scan<B> {
  return scan.found === 'whole' ? { found: 'whole', value: to(scan.value), length: scan.length } : scan;
}

/** Whether the byte at `at`, where it is there already, is the first of a message or of its LLC header. */
const mayBegin = (bytes: Uint8Array, at: number, end: number): boolean =>
  at >= end || bytes[at] === 0xe6 || BARE_TAGS.has(bytes[at] ?? 0) || OTHER_TAGS.has(bytes[at] ?? 0);

/** Why the bytes are not exactly one message; null when they are. */
function bareFault(apdu: Uint8Array): Fault | null {
  const tag = apdu[0];
  if (tag === undefined) return CUT;
  if (tag === GENERAL_BLOCK) {
    const block = readBlock(apdu);
    return block.ok ? null : block.error;
  }
  if (tag === GENERAL_GLO || tag === GENERAL_DED) {
    const ciphered = readCiphered(apdu, LIMITS.dlmsPush_bytes);
    if (!ciphered) return CUT;
    if (!ciphered.ok) return ciphered.error;
    return ciphered.value.length === apdu.length ? null : BEHIND;
  }
  const notice = readNotification(apdu);
  if (!notice.ok) return notice.error;
  return notice.value.trailing === 0 ? null : BEHIND;
}

function otherMessage(tag: number): Fault {
  if (tag === 0xca || tag === 0xd2)
    return fault('UNSUPPORTED', 'a service-specific ciphered event does not name its sender');
  if (tag === 0xdd || tag === 0xdf)
    return fault('UNSUPPORTED', `general ciphering or signing (${tag.toString(16)}h) is not supported`);
  return fault('BAD_FRAME', `no notification: the message begins with ${tag.toString(16).padStart(2, '0')}h`);
}
