/** A mode C meter that speaks the bytes: sign-on, identification, option select, readout at the chosen speed. */

export type IecMisbehaviour = 'none' | 'silent' | 'badBcc' | 'half' | 'staysAt300' | 'late';

export interface IecWires {
  /** Sends at a speed; what is heard at another speed is garbage. */
  send(bytes: Uint8Array, baudRate: number): void;
}

const BAUDS = [300, 600, 1200, 2400, 4800, 9600, 19200];

export class IecTwin {
  misbehaves: IecMisbehaviour = 'none';
  /** Energy import in kWh with three decimals, as printed. */
  energy = '000219.251';
  /** Acknowledgements that came. */
  readonly acknowledged: number[] = [];
  private readonly wires: IecWires;
  private held = '';
  private readonly z: number;

  constructor(wires: IecWires, z = 5) {
    this.wires = wires;
    this.z = z;
  }

  /** Bytes from the reader, sent at `baudRate`. */
  take(bytes: Uint8Array, baudRate: number): void {
    if (this.misbehaves === 'silent' || baudRate !== 300) return;
    this.held = (this.held + Buffer.from(bytes).toString('latin1')).slice(-64);
    if (/\/\?[^!]*!\r\n$/.test(this.held)) {
      this.held = '';
      setTimeout(
        () => this.wires.send(Buffer.from(`/HRT${this.z}METER-1\r\n`), 300),
        this.misbehaves === 'late' ? 4000 : 220,
      );
      return;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ACK is how an option is selected
    const ack = /\x060([0-6])0\r\n$/.exec(this.held);
    if (!ack) return;
    this.held = '';
    const baud = BAUDS[Number(ack[1])] ?? 300;
    this.acknowledged.push(baud);
    setTimeout(() => this.wires.send(this.readout(), this.misbehaves === 'staysAt300' ? 300 : baud), 220);
  }

  private readout(): Buffer {
    const body = Buffer.from(
      `0.0.0(12345678)\r\n1.8.0(${this.energy}*kWh)\r\n2.8.0(000001.000*kWh)\r\n1.7.0(0.412*kW)\r\n2.7.0(0.000*kW)\r\n!\r\n\x03`,
      'latin1',
    );
    const bcc = body.reduce((x, b) => x ^ b, 0) ^ (this.misbehaves === 'badBcc' ? 1 : 0);
    const all = Buffer.concat([Buffer.from([2]), body, Buffer.from([bcc])]);
    return this.misbehaves === 'half' ? all.subarray(0, all.length >> 1) : all;
  }
}
