/**
 * A wired M-Bus with its meters, as bytes. Written against EN 13757-2 and -3 and not against our codec: it has its own
 * frames, addresses and frame count bits. Meters that talk at once are mixed bit by bit, as on the real line, where
 * a space (0) of any meter wins; a UART at the master's end reads what is left.
 */
import type { Clock } from '../../firmware/domain/time.ts';

type MbusMisbehaviour =
  | 'none'
  /** Hears nothing, says nothing. */
  | 'silent'
  | 'badChecksum'
  /** Answers some time after the standard's last moment. */
  | 'late'
  /** Acknowledges and never sends data. */
  | 'mute'
  /** Does not answer SND_NKE. */
  | 'noReset';

export interface MbusTwinMeter {
  /** Eight digits. */
  readonly id: string;
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: number;
  primary: number;
  /** Record bytes of each telegram; all but the last end in 1Fh. */
  telegrams: readonly Uint8Array[];
  misbehaves: MbusMisbehaviour;
  status: number;
  /** Readouts that were asked of it; what a battery pays for. */
  asked: number;
}

export const twinMeter = (id: string, changes: Partial<MbusTwinMeter> = {}): MbusTwinMeter => ({
  id,
  manufacturer: 'KAM',
  version: 0x1b,
  medium: 4,
  primary: 0,
  telegrams: [Uint8Array.from([0x0c, 0x06, ...bcd('00012345')])],
  misbehaves: 'none',
  status: 0,
  asked: 0,
  ...changes,
});

/** Digits as BCD, lowest first. */
export const bcd = (digits: string): number[] =>
  (digits.match(/../g) ?? []).reverse().map((pair) => Number.parseInt(pair, 16));

interface State {
  selected: boolean;
  fcb: boolean | null;
  telegram: number;
  access: number;
}

interface MbusTwinOptions {
  readonly clock: Clock;
  /** Bytes to the master. */
  readonly write: (bytes: Uint8Array) => void;
  readonly baudRate?: number;
}

const LAST_MOMENT_BITS = 330;
const LATE_MS = 120;

export class MbusTwin {
  readonly meters: MbusTwinMeter[];
  /** The level converter sends back what it is given. */
  echo = false;
  /** Bytes that come before each answer. */
  noise: readonly number[] = [];
  /** Called for each answer; true loses it on the way. */
  loses: () => boolean = () => false;
  /** Requests that were understood, good frames only. */
  readonly requests: Uint8Array[] = [];
  baudRate: number;
  private readonly options: MbusTwinOptions;
  private readonly states = new Map<MbusTwinMeter, State>();
  private held: number[] = [];

  constructor(meters: readonly MbusTwinMeter[], options: MbusTwinOptions) {
    this.meters = [...meters];
    this.options = options;
    this.baudRate = options.baudRate ?? 2400;
  }

  /** Bytes from the master, sent at `baudRate`; at another speed the meters hear nothing. */
  take(bytes: Uint8Array, baudRate = this.baudRate): void {
    if (this.echo) this.options.write(Uint8Array.from(bytes));
    if (baudRate !== this.baudRate) return;
    this.held.push(...bytes);
    for (let frame = this.cut(); frame; frame = this.cut()) {
      this.requests.push(Uint8Array.from(frame));
      this.answer(frame);
    }
  }

  private cut(): number[] | null {
    while (this.held.length > 0) {
      const [start = 0, length = 0] = this.held;
      const size = start === 0x10 ? 5 : start === 0x68 ? length + 6 : 0;
      const body = start === 0x10 ? 1 : 4;
      if (size === 0) this.held.shift();
      else if (this.held.length < size) return null;
      else {
        const frame = this.held.splice(0, size);
        if (sum(frame.slice(body, -2)) === frame.at(-2) && frame.at(-1) === 0x16) return frame;
      }
    }
    return null;
  }

  private answer(frame: readonly number[]): void {
    const answers = this.meters.flatMap((meter) => {
      const bytes = meter.misbehaves === 'silent' ? null : this.answerOf(meter, frame);
      return bytes && !this.loses() ? [{ atBit: this.delayOf(meter), bytes }] : [];
    });
    if (answers.length === 0) return;
    const bitMs = 1000 / this.baudRate;
    // What comes long after the rest is a message of its own.
    const atOnce = answers.filter(({ atBit }) => atBit <= LAST_MOMENT_BITS);
    for (const group of [atOnce, ...answers.filter((a) => !atOnce.includes(a)).map((a) => [a])]) {
      if (group.length === 0) continue;
      const first = Math.min(...group.map(({ atBit }) => atBit));
      const mixed = [...this.noise, ...mix(group.map((a) => ({ ...a, atBit: a.atBit - first })))];
      this.options.clock.after((first + mixed.length * 11) * bitMs, () =>
        this.options.write(Uint8Array.from(mixed)),
      );
    }
  }

  /** Between 11 and 51 bit times, by the meter's number, so that the same bus sounds the same every time. */
  private delayOf({ id, version, misbehaves }: MbusTwinMeter): number {
    const own = 11 + ((Number.parseInt(id, 16) * 7919 + version * 13) % 41);
    return misbehaves === 'late' ? own + LAST_MOMENT_BITS + ((50 + LATE_MS) * this.baudRate) / 1000 : own;
  }

  private stateOf(meter: MbusTwinMeter): State {
    let state = this.states.get(meter);
    if (!state) {
      state = { selected: false, fcb: null, telegram: -1, access: 0 };
      this.states.set(meter, state);
    }
    return state;
  }

  private answerOf(meter: MbusTwinMeter, frame: readonly number[]): number[] | null {
    const state = this.stateOf(meter);
    const [control = 0, address = 0, ci = 0] = frame[0] === 0x10 ? frame.slice(1) : frame.slice(4);
    const data = frame[0] === 0x68 ? frame.slice(7, -2) : [];
    if (frame[0] === 0x68 && address === 0xfd && ci === 0x52) {
      state.selected = isSelected(meter, data);
      state.fcb = null;
      state.telegram = -1;
      return state.selected ? [0xe5] : null;
    }
    const meant = address === meter.primary || address === 0xfe || (address === 0xfd && state.selected);
    if (address === 0xff) this.command(meter, state, control, ci, data);
    return meant ? this.command(meter, state, control, ci, data) : null;
  }

  private command(
    meter: MbusTwinMeter,
    state: State,
    control: number,
    ci: number,
    data: readonly number[],
  ): number[] | null {
    if (control === 0x40) {
      state.selected = false;
      state.fcb = null;
      state.telegram = -1;
      return meter.misbehaves === 'noReset' ? null : [0xe5];
    }
    if ((control & 0xdf) === 0x5b) return this.data(meter, state, (control & 0x20) !== 0);
    if (ci === 0x50) state.telegram = -1;
    if (ci === 0x51 && data[0] === 0x01 && data[1] === 0x7a) meter.primary = data[2] ?? 0;
    const speed = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400][ci - 0xb8];
    if (speed !== undefined) this.options.clock.after(20, () => (this.baudRate = speed));
    return [0xe5];
  }

  /** REQ_UD2: a changed frame count bit asks for the next telegram, the same one for the last once more. */
  private data(meter: MbusTwinMeter, state: State, fcb: boolean): number[] | null {
    meter.asked += 1;
    if (meter.misbehaves === 'mute') return null;
    if (state.fcb !== fcb) state.telegram = (state.telegram + 1) % meter.telegrams.length;
    state.fcb = fcb;
    state.access = (state.access + 1) & 0xff;
    const records = meter.telegrams[state.telegram] ?? [];
    const body = [0x08, meter.primary, 0x72, ...addressBytes(meter), state.access, meter.status, 0, 0];
    body.push(...records);
    const check = sum(body) ^ (meter.misbehaves === 'badChecksum' ? 0x21 : 0);
    return [0x68, body.length, body.length, 0x68, ...body, check, 0x16];
  }
}

const sum = (bytes: readonly number[]): number => bytes.reduce((a, b) => a + b, 0) & 0xff;

function addressBytes({ id, manufacturer, version, medium }: MbusTwinMeter): number[] {
  const word = [...manufacturer].reduce((w, letter) => w * 32 + letter.charCodeAt(0) - 64, 0);
  return [...bcd(id), word & 0xff, word >> 8, version, medium];
}

/** Wildcards: nibble F in the number, byte FFh in the rest. */
export function isSelected(meter: MbusTwinMeter, mask: readonly number[]): boolean {
  return addressBytes(meter).every((byte, i) => {
    const wanted = mask[i] ?? 0xff;
    if (i >= 4) return wanted === 0xff || wanted === byte;
    const high = wanted >> 4 === 15 || wanted >> 4 === byte >> 4;
    return high && ((wanted & 15) === 15 || (wanted & 15) === (byte & 15));
  });
}

/** What a UART reads of several that talk at once: start bit 0, eight bits, even parity, stop bit 1. */
function mix(answers: readonly { readonly atBit: number; readonly bytes: readonly number[] }[]): number[] {
  const [only] = answers;
  if (only && answers.length === 1) return [...only.bytes];
  const line = new Uint8Array(Math.max(...answers.map((a) => a.atBit + a.bytes.length * 11)) + 11).fill(1);
  for (const { atBit, bytes } of answers) {
    bytes.forEach((byte, i) => {
      const at = atBit + i * 11;
      line[at] = 0;
      let parity = 0;
      for (let bit = 0; bit < 8; bit++) {
        parity ^= (byte >> bit) & 1;
        if (!((byte >> bit) & 1)) line[at + 1 + bit] = 0;
      }
      if (!parity) line[at + 9] = 0;
    });
  }
  const heard: number[] = [];
  for (let at = line.indexOf(0); at >= 0 && at + 10 < line.length; at = line.indexOf(0, at + 11)) {
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte |= (line[at + 1 + bit] ?? 1) << bit;
    heard.push(byte);
  }
  return heard;
}
