/**
 * A Modbus device that speaks the protocol's bytes: MBAP over TCP, or RTU with CRC. Written against the standard and
 * not against our adapter. It can be told to misbehave.
 */

export interface Registers {
  readonly coils: Map<number, number>;
  readonly holding: Map<number, number>;
  readonly input: Map<number, number>;
}

type Misbehaviour = 'none' | 'silent' | 'exception' | 'ignoresWrites' | 'wrongTransaction' | 'garbled';

export interface Write {
  readonly table: 'coil' | 'holding';
  readonly address: number;
  readonly value: number;
}

export class ModbusTwin {
  readonly registers: Registers = { coils: new Map(), holding: new Map(), input: new Map() };
  misbehaves: Misbehaviour = 'none';
  /** Called before each request, so that measured values can be brought up to date. */
  refresh: () => void = () => {};
  onWrite: (write: Write) => void = () => {};
  /** Addresses that it does not have: exception 2. */
  readonly refuses = new Set<number>();
  /** Answers sent. */
  answered = 0;
  private held = Buffer.alloc(0);

  /** Takes bytes of Modbus TCP, gives the bytes of the answers. */
  tcp(chunk: Uint8Array): Buffer[] {
    this.held = Buffer.concat([this.held, chunk]);
    const answers: Buffer[] = [];
    while (this.held.length >= 8) {
      const length = this.held.readUInt16BE(4);
      if (this.held.length < 6 + length) break;
      const request = this.held.subarray(0, 6 + length);
      this.held = this.held.subarray(6 + length);
      const pdu = this.answer(request.subarray(7));
      if (!pdu) continue;
      const head = Buffer.from(request.subarray(0, 7));
      head.writeUInt16BE(pdu.length + 1, 4);
      if (this.misbehaves === 'wrongTransaction') head.writeUInt16BE((head.readUInt16BE(0) + 7) & 0xffff, 0);
      answers.push(this.maybeGarbled(Buffer.concat([head, pdu])));
    }
    return answers;
  }

  /** Takes one RTU request (unit, PDU, CRC), gives the answer or null. A request with a bad CRC is not answered. */
  rtu(request: Buffer): Buffer | null {
    if (request.length < 4 || crc(request.subarray(0, -2)) !== request.readUInt16LE(request.length - 2))
      return null;
    const pdu = this.answer(request.subarray(1, -2));
    if (!pdu) return null;
    const body = Buffer.concat([request.subarray(0, 1), pdu]);
    const tail = Buffer.alloc(2);
    tail.writeUInt16LE(crc(body), 0);
    return this.maybeGarbled(Buffer.concat([body, tail]));
  }

  private maybeGarbled(answer: Buffer): Buffer {
    if (this.misbehaves === 'garbled') answer[answer.length >> 1] = (answer[answer.length >> 1] ?? 0) ^ 0x55;
    return answer;
  }

  private answer(pdu: Buffer): Buffer | null {
    if (this.misbehaves === 'silent') return null;
    const code = pdu[0] ?? 0;
    this.answered += 1;
    if (this.misbehaves === 'exception') return Buffer.from([code | 0x80, 4]);
    this.refresh();
    if (this.refuses.has(pdu.readUInt16BE(1))) return Buffer.from([code | 0x80, 2]);
    const address = pdu.readUInt16BE(1);
    const value = pdu.readUInt16BE(3);
    if (code === 1) return this.bits(address, value);
    if (code === 3) return this.words(code, this.registers.holding, address, value);
    if (code === 4) return this.words(code, this.registers.input, address, value);
    if (code === 5) return this.write('coil', address, value === 0xff00 ? 1 : 0, pdu);
    if (code === 6) return this.write('holding', address, value, pdu);
    if (code === 16) return this.writeMany(address, value, pdu);
    return Buffer.from([code | 0x80, 1]);
  }

  private bits(address: number, count: number): Buffer {
    const bytes = Buffer.alloc(Math.ceil(count / 8));
    for (let i = 0; i < count; i++) {
      if (this.registers.coils.get(address + i)) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
    }
    return Buffer.concat([Buffer.from([1, bytes.length]), bytes]);
  }

  private words(code: number, table: Map<number, number>, address: number, count: number): Buffer {
    const bytes = Buffer.alloc(count * 2);
    for (let i = 0; i < count; i++) bytes.writeUInt16BE((table.get(address + i) ?? 0) & 0xffff, i * 2);
    return Buffer.concat([Buffer.from([code, bytes.length]), bytes]);
  }

  /** Preset multiple registers: all or none. */
  private writeMany(address: number, count: number, pdu: Buffer): Buffer {
    if (count < 1 || count > 123 || pdu[5] !== count * 2 || pdu.length !== 6 + count * 2)
      return Buffer.from([0x90, 3]);
    for (let i = 0; i < count; i++) this.put('holding', address + i, pdu.readUInt16BE(6 + i * 2));
    return Buffer.from(pdu.subarray(0, 5));
  }

  private write(table: Write['table'], address: number, value: number, pdu: Buffer): Buffer {
    this.put(table, address, value);
    return Buffer.from(pdu.subarray(0, 5));
  }

  private put(table: Write['table'], address: number, value: number): void {
    if (this.misbehaves !== 'ignoresWrites')
      (table === 'coil' ? this.registers.coils : this.registers.holding).set(address, value);
    this.onWrite({ table, address, value });
  }
}

function crc(bytes: Uint8Array): number {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  }
  return value;
}

/** 32 bits over two registers, high word first. */
export function setLong(table: Map<number, number>, address: number, value: number): void {
  table.set(address, Math.floor(value / 65536) & 0xffff);
  table.set(address + 1, value & 0xffff);
}
