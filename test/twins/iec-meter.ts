/**
 * A meter of IEC 62056-21 that speaks the bytes: modes A, B, C and E, readout and programming mode with password,
 * registers and a load profile. It has its own words for the frame checks, and misbehaves on request.
 */

export type IecMisbehaviour =
  | 'none'
  | 'silent'
  /** A wrong BCC, always; the repeat request is not known. */
  | 'badBcc'
  /** A wrong BCC once; the repeat request is answered. */
  | 'badBccOnce'
  | 'half'
  /** Offers its speed and sends at that of the first contact. */
  | 'staysAt300'
  /** The identification comes after the reaction time is long over. */
  | 'late'
  /** Asks for a repetition of each message once. */
  | 'naks'
  /** Ends the session after a password. */
  | 'refuses'
  /** Falls silent at each fourth profile answer, until the next sign-on. */
  | 'breaksOff';

export interface IecWires {
  /** Sends at a speed; what is heard at another speed is garbage. */
  send(bytes: Uint8Array, baudRate: number): void;
  after?(ms: number, task: () => void): void;
}

export interface IecTwinOptions {
  /** The character Z: '0'…'6' mode C, 'A'…'F' mode B, else mode A. */
  readonly z?: string;
  readonly manufacturer?: string;
  readonly ident?: string;
  readonly address?: string;
  /** tr of its answers; absent is somewhat above the least. */
  readonly reactionMs?: number;
  readonly password?: string;
  /** Sleeps until NULs for two seconds wake it. */
  readonly battery?: boolean;
  /** The head returns what it is sent. */
  readonly echo?: boolean;
  /** Answers of programming mode are cut into partial blocks of so many characters. */
  readonly partial?: number;
  /** Answers R5: the profile's text for a range as it was asked; null is "no data". */
  readonly profile?: (from: string, until: string) => string | null;
}

const BAUDS = [300, 600, 1200, 2400, 4800, 9600, 19200];
const REACTION_MS = 220;
const QUICK_REACTION_MS = 22;

export class IecTwin {
  misbehaves: IecMisbehaviour = 'none';
  /** Data lines of the readout. */
  lines = [
    '0.0.0(12345678)',
    '1.8.0(000219.251*kWh)',
    '1.8.0*01(000200.000*kWh)',
    '1.8.0&02(000100.000*kWh)',
    '2.8.0(000001.000*kWh)',
    '1.7.0(0.412*kW)',
    '2.7.0(0.000*kW)',
    '1.6.0(03.120*kW)(2601151215)',
    'F.F(00)',
  ];
  /** Speeds of the acknowledgements that came. */
  readonly acknowledged: number[] = [];
  /** Command messages that came, as `R1 1.8.0()`. */
  readonly commands: string[] = [];
  /** Left by a break, or never entered. */
  locked = false;
  profileAnswers = 0;
  private readonly wires: IecWires;
  private readonly options: IecTwinOptions;
  private readonly after: (ms: number, task: () => void) => void;
  private held = '';
  private baudRate = 300;
  private awake: boolean;
  private admitted = false;
  private last: Buffer = Buffer.alloc(0);
  private parts: Buffer[] = [];
  private deaf = false;
  private asked = new Set<string>();

  constructor(wires: IecWires, options: IecTwinOptions = {}) {
    this.wires = wires;
    this.options = options;
    this.after = wires.after ?? ((ms, task) => void setTimeout(task, ms));
    this.awake = !options.battery;
  }

  /** Bytes from the reader, sent at `baudRate`. */
  take(bytes: Uint8Array, baudRate: number): void {
    if (this.options.echo) this.wires.send(bytes, baudRate);
    if (this.misbehaves === 'silent') return;
    if (baudRate !== this.baudRate && baudRate !== 300) return;
    const text = Buffer.from(bytes.map((b) => b & 0x7f)).toString('latin1');
    // 2.1 s of NULs at 300 baud are 63 of them.
    if ((text.match(/\0/g)?.length ?? 0) >= 63) this.awake = true;
    if (text.includes('/?')) this.deaf = false;
    if (!this.awake || this.deaf) return;
    this.held = (this.held + text.replaceAll('\0', '')).slice(-256);
    this.message();
  }

  private message(): void {
    const sign = /\/\?([^!]*)!\r\n$/.exec(this.held);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the protocol
    const ack = /\x06([02])([0-6])([012])\r\n$/.exec(this.held);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the protocol
    const command = /\x01([A-Z]\d)(?:\x02([^\x03]*))?\x03[\x00-\x7f]$/.exec(this.held);
    if (sign) this.identify(sign[1] ?? '');
    else if (command) this.command(command[1] ?? '', command[2] ?? '', this.held.slice(command.index));
    else if (ack) this.select(ack[1] ?? '', Number(ack[2]), ack[3] ?? '');
    else if (this.held.endsWith('\x15')) this.say(this.last);
    else if (this.held === '\x06' && this.parts.length > 0) this.say(this.parts.shift() ?? Buffer.alloc(0));
    else return;
    this.held = '';
  }

  private identify(address: string): void {
    const own = this.options.address ?? '12345678';
    if (address !== '' && address.replace(/^0+/, '') !== own) return;
    const { manufacturer = 'HRT', z = '5', ident = 'METER-1' } = this.options;
    this.baudRate = 300;
    this.admitted = false;
    const line = Buffer.from(`/${manufacturer}${z}${ident}\r\n`);
    this.say(line, this.misbehaves === 'late' ? 4000 : this.reactionMs);
    const b = ' ABCDEF'.indexOf(z);
    if (/^[0-6]$/.test(z)) return;
    this.after(this.reactionMs + line.length * 34, () => {
      this.baudRate = b > 0 ? (BAUDS[b] ?? 300) : 300;
      this.say(this.readout());
    });
  }

  private get reactionMs(): number {
    if (this.options.reactionMs !== undefined) return this.options.reactionMs;
    return /[a-z]$/.test(this.options.manufacturer ?? 'HRT') ? QUICK_REACTION_MS : REACTION_MS;
  }

  private select(protocol: string, speed: number, mode: string): void {
    const baud = BAUDS[speed] ?? 300;
    this.acknowledged.push(baud);
    if (protocol === '2') {
      this.say(Buffer.from(`\x062${speed}2\r\n`));
      this.after(this.reactionMs + 6 * 34, () => {
        this.baudRate = baud;
      });
      return;
    }
    this.baudRate = this.misbehaves === 'staysAt300' ? 300 : baud;
    if (mode === '1') {
      this.locked = true;
      this.say(framed('\x01', 'P0\x02(1234567)'));
    } else this.say(this.readout());
  }

  private command(name: string, data: string, whole: string): void {
    if (name === 'B0') {
      this.locked = false;
      this.baudRate = 300;
      return;
    }
    const refused = checkOf(whole.slice(1, -1)) !== whole.charCodeAt(whole.length - 1);
    const once = this.misbehaves === 'naks' && !this.asked.has(whole);
    this.asked.add(whole);
    if (refused || once) this.say(Buffer.of(0x15));
    else {
      this.commands.push(`${name} ${data}`);
      if (name === 'P1') this.say(this.password(data));
      else if (this.options.password !== undefined && !this.admitted) this.say(framed('\x02', '(ER05)'));
      else this.answer(name === 'R5' ? this.profile(data) : this.register(data));
    }
  }

  private password(data: string): Buffer {
    if (this.misbehaves === 'refuses') return framed('\x01', 'B0');
    this.admitted = data === `(${this.options.password ?? '00000000'})`;
    return this.admitted ? Buffer.of(0x06) : framed('\x02', '(ER01)');
  }

  private register(data: string): string {
    const code = data.slice(0, data.indexOf('('));
    return this.lines.find((line) => line.startsWith(`${code}(`)) ?? '(ER02)';
  }

  private profile(data: string): string | null {
    this.profileAnswers += 1;
    this.deaf = this.misbehaves === 'breaksOff' && this.profileAnswers % 4 === 0;
    if (this.deaf) return null;
    const [, from = '', until = ''] = /\((\d*);(\d*)\)/.exec(data) ?? [];
    return this.options.profile?.(from, until) ?? '(ER03)';
  }

  private answer(text: string | null): void {
    if (text === null) return;
    const size = this.options.partial ?? text.length;
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      text.slice(i * size, (i + 1) * size),
    );
    this.parts = pieces.map((piece, i) => framed('\x02', piece, i === pieces.length - 1 ? '\x03' : '\x04'));
    this.say(this.parts.shift() ?? Buffer.alloc(0));
  }

  private readout(): Buffer {
    return framed('\x02', `${this.lines.join('\r\n')}\r\n!\r\n`);
  }

  private say(bytes: Buffer, delayMs = this.reactionMs): void {
    this.last = bytes;
    const { baudRate, misbehaves } = this;
    let sent = bytes;
    if (bytes[0] === 2 && misbehaves === 'half') sent = bytes.subarray(0, bytes.length >> 1);
    if (bytes[0] === 2 && misbehaves.startsWith('badBcc')) {
      sent = Buffer.from(bytes);
      sent[sent.length - 1] = (sent.at(-1) ?? 0) ^ 1;
      if (misbehaves === 'badBccOnce') this.misbehaves = 'none';
      else this.last = Buffer.alloc(0);
    }
    if (sent.length > 0) this.after(delayMs, () => this.wires.send(sent, baudRate));
  }
}

function framed(first: string, text: string, last = '\x03'): Buffer {
  const body = text + last;
  return Buffer.from(first + body + String.fromCharCode(checkOf(body)), 'latin1');
}

const checkOf = (text: string): number => [...text].reduce((x, c) => x ^ c.charCodeAt(0), 0);
