/** One radio receiver for many meters: sets it up, hands each telegram to its meter, and notes who else is heard. */
import { identityOf } from '../../../codecs/mbus/identity.ts';
import { addressesOf } from '../../../codecs/wmbus/addresses.ts';
import { WirelessMeter } from '../../../codecs/wmbus/kind.ts';
import { RECEIVERS, type ReceiverName } from '../../../codecs/wmbus/receivers/index.ts';
import type {
  RadioMode,
  RadioTelegram,
  ReceiverFrame,
  SetupStep,
} from '../../../codecs/wmbus/receivers/receiver.ts';
import { type Fault, fault } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { Link } from '../../../domain/link.ts';
import type { Decoded, Decoder, MeterIdentity } from '../../../domain/telegram.ts';
import type { Cancel, Clock, WallMs } from '../../../domain/time.ts';
import { LinkKeeper } from '../keeper.ts';

export interface ReceiverOptions {
  readonly receiver: ReceiverName;
  readonly mode: RadioMode;
}

/** Where a meter's telegrams go. */
export interface Seat {
  /** Identification number, eight digits. */
  readonly number: string;
  /** Null takes any. */
  readonly manufacturer: string | null;
  take(telegram: RadioTelegram): void;
  /** The receiver is not there. */
  lost(reason: Fault): void;
}

/** A meter on the air that nobody configured. Kept in memory, for the installer. */
export interface HeardMeter extends MeterIdentity {
  readonly telegrams: number;
  readonly lastMs: WallMs;
  readonly signal_dBm: number | null;
  /** What becomes of its telegrams without a key; null when they are read. */
  readonly refused: Fault | null;
  readonly lastTelegram: Uint8Array;
}

/** Some meters send a few times a day; a receiver that hears nobody at all for so long has hung. */
const SILENCE_MS = 2 * 3_600_000;
const ANSWER_MS = 1_000;
const ATTEMPTS = 3;
/** What is left of a telegram after such a pause will not be completed. */
const PAUSE_MS = 500;

export class WirelessReceiver {
  /** Faults by code, and `telegram`, `unknown`: of the receiver, not of one meter. */
  readonly counts = new Map<string, number>();
  private readonly options: ReceiverOptions;
  private readonly link: Link;
  private readonly clock: Clock;
  private readonly noticed: (meter: HeardMeter) => void;
  private readonly keeper: LinkKeeper;
  /** By identification number, so that a telegram costs the same however many meters there are. */
  private readonly seats = new Map<string, Seat[]>();
  private readonly strangers = new Map<string, HeardMeter>();
  private decoder: Decoder<ReceiverFrame>;
  private answered: (to: string) => void = () => {};
  private cancelPause: Cancel = () => {};

  /** `noticed` is called for each telegram of a meter that nobody configured. */
  constructor(
    options: ReceiverOptions,
    link: Link,
    clock: Clock,
    noticed: (meter: HeardMeter) => void = () => {},
  ) {
    this.options = options;
    this.link = link;
    this.clock = clock;
    this.noticed = noticed;
    this.decoder = RECEIVERS[options.receiver].decoder();
    this.keeper = new LinkKeeper(link, clock, SILENCE_MS, {
      bytes: (chunk) => this.bytes(chunk),
      opened: () => void this.setUp(),
      lost: (reason) => {
        this.count(reason.code);
        for (const seat of this.all()) seat.lost(reason);
      },
    });
  }

  start(): void {
    this.keeper.start();
  }

  async stop(): Promise<void> {
    this.cancelPause();
    await this.keeper.stop();
  }

  /** The first one starts the receiver. */
  join(seat: Seat): void {
    const first = this.seats.size === 0;
    this.seats.set(seat.number, [...(this.seats.get(seat.number) ?? []), seat]);
    if (first) this.start();
  }

  /** The last one stops it. */
  async leave(seat: Seat): Promise<void> {
    const others = (this.seats.get(seat.number) ?? []).filter((other) => other !== seat);
    if (others.length > 0) this.seats.set(seat.number, others);
    else this.seats.delete(seat.number);
    if (this.seats.size === 0) await this.stop();
  }

  /** Meters that nobody configured, the last heard first. */
  heard(): readonly HeardMeter[] {
    return [...this.strangers.values()].reverse();
  }

  private *all(): Iterable<Seat> {
    for (const seats of this.seats.values()) yield* seats;
  }

  private bytes(chunk: Uint8Array): void {
    this.frames(this.decoder.push(chunk));
    this.cancelPause();
    this.cancelPause = this.clock.after(PAUSE_MS, () => this.frames(this.decoder.end()));
  }

  private frames(decoded: Iterable<Decoded<ReceiverFrame>>): void {
    for (const result of decoded) {
      if (!result.ok) this.count(result.error.code);
      else if (result.frame.kind === 'answer') this.answered(result.frame.to);
      else this.telegram(result.frame);
    }
  }

  private telegram(telegram: RadioTelegram): void {
    const addresses = addressesOf(telegram.bytes, telegram.crc);
    if (!addresses.ok) {
      this.count(addresses.error.code);
      return;
    }
    this.keeper.good();
    this.count('telegram');
    for (const { id, manufacturer } of addresses.value) {
      const seats = this.seats.get(id) ?? [];
      const seat = seats.find((s) => s.manufacturer === null || s.manufacturer === manufacturer);
      if (seat) {
        seat.take(telegram);
        return;
      }
    }
    const [meter] = addresses.value;
    if (meter) this.stranger(identityOf(meter), telegram);
  }

  private stranger(meter: MeterIdentity, telegram: RadioTelegram): void {
    this.count('unknown');
    const name = `${meter.manufacturer} ${meter.id}`;
    const before = this.strangers.get(name);
    this.strangers.delete(name);
    const refused = before ? before.refused : refusalOf(telegram);
    const heard: HeardMeter = {
      ...meter,
      telegrams: (before?.telegrams ?? 0) + 1,
      lastMs: this.clock.wallMs(),
      signal_dBm: telegram.signal_dBm,
      refused,
      lastTelegram: telegram.bytes,
    };
    const [oldest] = this.strangers.keys();
    if (this.strangers.size >= LIMITS.wmbusHeard && oldest !== undefined) this.strangers.delete(oldest);
    this.strangers.set(name, heard);
    this.noticed(heard);
  }

  private count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Tells the receiver its mode. One that does not answer is listened to all the same: it may be set already. */
  private async setUp(): Promise<void> {
    const { receiver, mode } = this.options;
    this.decoder = RECEIVERS[receiver].decoder();
    for (const step of RECEIVERS[receiver].setup(mode) ?? []) {
      if (await this.confirmed(step)) continue;
      const reason = fault('TIMEOUT', `the receiver ${receiver} does not confirm that it receives ${mode}`);
      this.count(reason.code);
      for (const seat of this.all()) seat.lost(reason);
      return;
    }
  }

  private async confirmed({ send, answer }: SetupStep): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const heard = new Promise<boolean>((resolve) => {
        const cancel = this.clock.after(ANSWER_MS, () => resolve(false));
        this.answered = (to) => {
          if (to !== answer) return;
          cancel();
          resolve(true);
        };
      });
      const sent = await this.link.write(send).then(
        () => true,
        () => false,
      );
      if (!sent) return false;
      if (answer === null || (await heard)) return true;
    }
    return false;
  }
}

function refusalOf({ bytes, crc }: RadioTelegram): Fault | null {
  const meter = new WirelessMeter(null);
  const clear = meter.open(bytes, crc);
  const telegram = clear.ok ? meter.interpret(clear.value) : clear;
  return telegram.ok ? null : telegram.error;
}
