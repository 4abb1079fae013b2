/** One radio receiver for many meters: sets it up, hands each telegram to its meter, and notes who else is heard. */
import { identityOf } from '../../../codecs/mbus/identity.ts';
import { addressesOf } from '../../../codecs/wmbus/addresses.ts';
import { RECEIVERS, type ReceiverName } from '../../../codecs/wmbus/receivers/index.ts';
import type {
  RadioMode,
  RadioTelegram,
  ReceiverFrame,
  SetupStep,
} from '../../../codecs/wmbus/receivers/receiver.ts';
import { type Fault, fault, type Result } from '../../../domain/errors.ts';
import type { Link } from '../../../domain/link.ts';
import type { HeardMeter, KeyTrial, RadioEar } from '../../../domain/radio.ts';
import type { Decoded, Decoder, MeterIdentity } from '../../../domain/telegram.ts';
import type { Cancel, Clock } from '../../../domain/time.ts';
import { LinkKeeper } from '../keeper.ts';
import { isSealed, OverheardMeters } from './overheard.ts';

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
  /** Null, or why it was not read. */
  take(telegram: RadioTelegram): Fault | null;
  /** The receiver is not there. */
  lost(reason: Fault): void;
}

/** Some meters send a few times a day; a receiver that hears nobody at all for so long has hung. */
const SILENCE_MS = 2 * 3_600_000;
const NOBODY = fault(
  'TIMEOUT',
  'the receiver answers, and no meter was heard for two hours: antenna, mode, place?',
);
const ANSWER_MS = 1_000;
const ATTEMPTS = 3;
/** What is left of a telegram after such a pause will not be completed. */
const PAUSE_MS = 500;

export class WirelessReceiver implements RadioEar {
  private readonly options: ReceiverOptions;
  private readonly link: Link;
  private readonly clock: Clock;
  private readonly noticed: (meter: HeardMeter) => void;
  private readonly keeper: LinkKeeper;
  /** By identification number, so that a telegram costs the same however many meters there are. */
  private readonly seats = new Map<string, Seat[]>();
  private readonly overheard = new OverheardMeters();
  private decoder: Decoder<ReceiverFrame>;
  private answered: (to: string) => void = () => {};
  /** It has answered since it was opened. */
  private isThere = false;
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
      lost: (reason) => this.lost(reason.code === 'TIMEOUT' && this.isThere ? NOBODY : reason),
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

  heard(): readonly HeardMeter[] {
    return this.overheard.heard();
  }

  tryKey(meter: string, key: Uint8Array): Result<KeyTrial> {
    return this.overheard.tryKey(meter, key);
  }

  /** The newest telegram that a key can be tried on elsewhere. */
  newestOf(meter: MeterIdentity): Uint8Array | null {
    return this.overheard.newest(meter)?.bytes ?? null;
  }

  private lost(reason: Fault): void {
    for (const seats of this.seats.values()) for (const seat of seats) seat.lost(reason);
  }

  private bytes(chunk: Uint8Array): void {
    this.frames(this.decoder.push(chunk));
    this.cancelPause();
    this.cancelPause = this.clock.after(PAUSE_MS, () => this.frames(this.decoder.end()));
  }

  /** What is no telegram is noise of the air, and whose it was cannot be known. */
  private frames(decoded: Iterable<Decoded<ReceiverFrame>>): void {
    for (const result of decoded) {
      if (!result.ok) continue;
      if (result.frame.kind === 'answer') this.answer(result.frame.to);
      else this.telegram(result.frame);
    }
  }

  private answer(to: string): void {
    this.isThere = true;
    this.keeper.answered();
    this.answered(to);
  }

  private telegram(telegram: RadioTelegram): void {
    const addresses = addressesOf(telegram.bytes, telegram.crc);
    if (!addresses.ok) return;
    this.keeper.good();
    for (const address of addresses.value) {
      const seats = this.seats.get(address.id) ?? [];
      const seat = seats.find((s) => s.manufacturer === null || s.manufacturer === address.manufacturer);
      if (seat) {
        this.seated(seat, identityOf(address), telegram);
        return;
      }
    }
    const [meter] = addresses.value;
    if (meter) this.noticed(this.overheard.note(identityOf(meter), telegram, this.clock.wallMs()));
  }

  /** A key that is missing or wrong is the installer's to try. */
  private seated(seat: Seat, meter: MeterIdentity, telegram: RadioTelegram): void {
    const refused = seat.take(telegram);
    if (refused === null) this.overheard.forget(meter);
    else if (isSealed(refused)) this.overheard.note(meter, telegram, this.clock.wallMs(), refused);
  }

  /** Tells the receiver its mode. One that does not answer is listened to all the same: it may be set already. */
  private async setUp(): Promise<void> {
    const { receiver, mode } = this.options;
    this.decoder = RECEIVERS[receiver].decoder();
    this.isThere = false;
    for (const step of RECEIVERS[receiver].setup(mode) ?? []) {
      if ((await this.confirmed(step)) || step.optional) continue;
      this.lost(fault('TIMEOUT', `the receiver ${receiver} does not confirm that it receives ${mode}`));
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
