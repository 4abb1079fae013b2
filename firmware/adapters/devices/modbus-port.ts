/**
 * The port that modbus-serial talks through, on a link of ours: the same adapter then runs on TCP, on a serial
 * line and on a simulated one. It frames (MBAP for TCP, length and CRC for RTU) and drops what answers nothing.
 */
import { EventEmitter } from 'node:events';
import type { Link } from '../../domain/link.ts';

export type Framing = 'tcp' | 'rtu';

/** Longest Modbus ADU: 260 bytes over TCP, 256 over a serial line (Modbus Application Protocol 1.1b3, 4.1). */
const MAX_ADU = 260;
const MBAP = 7;

export class ModbusPort extends EventEmitter {
  isOpen = false;
  // Names that modbus-serial reads and writes on every port.
  _transactionIdRead = 1;
  _transactionIdWrite = 1;
  private readonly link: Link;
  private readonly framing: Framing;
  private held = Buffer.alloc(0);
  private deaf = false;
  /** Bytes that belonged to no answer that was waited for. */
  dropped = 0;

  constructor(link: Link, framing: Framing) {
    super();
    this.link = link;
    this.framing = framing;
  }

  open(done: (error?: Error) => void): void {
    this.link
      .open({
        bytes: (chunk) => this.receive(chunk),
        gone: () => {
          this.isOpen = false;
          this.held = Buffer.alloc(0);
          this.emit('close');
        },
      })
      .then(
        () => {
          this.isOpen = true;
          done();
        },
        (error: Error) => done(error),
      );
  }

  close(done?: () => void): void {
    this.isOpen = false;
    void this.link.close().then(() => done?.());
  }

  /** An answer that comes too late must not be taken for the next one: what arrives is dropped until told otherwise. */
  ignore(deaf: boolean): void {
    this.deaf = deaf;
    this.held = Buffer.alloc(0);
  }

  /** `adu` is unit id, PDU and CRC, as modbus-serial builds it for every port. */
  write(adu: Buffer): void {
    this.held = Buffer.alloc(0);
    let frame = adu;
    if (this.framing === 'tcp') {
      frame = Buffer.alloc(adu.length + 4);
      frame.writeUInt16BE(this._transactionIdWrite, 0);
      frame.writeUInt16BE(adu.length - 2, 4);
      adu.copy(frame, 6, 0, adu.length - 2);
      this._transactionIdRead = this._transactionIdWrite;
    }
    this.link.write(frame).catch(() => {});
  }

  /** Called before each request over TCP: every one has a number of its own. */
  nextTransaction(): void {
    if (this.framing === 'tcp') this._transactionIdWrite = (this._transactionIdWrite % 0xffff) + 1;
  }

  private receive(chunk: Uint8Array): void {
    if (this.deaf) {
      this.dropped += chunk.length;
      return;
    }
    this.held = Buffer.concat([this.held, chunk]);
    if (this.framing === 'tcp') this.receiveTcp();
    else this.receiveRtu();
  }

  private receiveTcp(): void {
    while (this.held.length >= MBAP) {
      const length = this.held.readUInt16BE(4);
      if (this.held.readUInt16BE(2) !== 0 || length < 2 || length > MAX_ADU - 6) {
        this.drop();
        return;
      }
      if (this.held.length < 6 + length) return;
      const answer = this.held.subarray(6, 6 + length);
      const mine = this.held.readUInt16BE(0) === this._transactionIdWrite;
      this.held = this.held.subarray(6 + length);
      if (mine) this.emit('data', withCrc(answer));
      else this.dropped += length;
    }
  }

  private receiveRtu(): void {
    const length = rtuLength(this.held);
    if (length === null || this.held.length < length) return;
    if (this.held.length > length || length > MAX_ADU) {
      this.drop();
      return;
    }
    const frame = this.held;
    this.held = Buffer.alloc(0);
    if (crc16(frame, length - 2) === frame.readUInt16LE(length - 2)) this.emit('data', frame);
    else this.dropped += length;
  }

  private drop(): void {
    this.dropped += this.held.length;
    this.held = Buffer.alloc(0);
  }
}

/** Length of an answer by its function code; null while it is not known yet. */
function rtuLength(held: Buffer): number | null {
  if (held.length < 3) return null;
  const code = held[1] ?? 0;
  if (code & 0x80) return 5;
  if (code >= 1 && code <= 4) return 5 + (held[2] ?? 0);
  return code === 5 || code === 6 || code === 15 || code === 16 ? 8 : held.length + MAX_ADU;
}

function withCrc(answer: Buffer): Buffer {
  const frame = Buffer.alloc(answer.length + 2);
  answer.copy(frame);
  frame.writeUInt16LE(crc16(answer, answer.length), answer.length);
  return frame;
}

/** CRC-16/MODBUS (Modbus over Serial Line 1.02, 6.2.2). */
function crc16(bytes: Uint8Array, length: number): number {
  let crc = 0xffff;
  for (let i = 0; i < length; i++) {
    crc ^= bytes[i] ?? 0;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}
