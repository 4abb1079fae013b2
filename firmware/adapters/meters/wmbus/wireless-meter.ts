/** One meter on the air: its key, the formats of its frames, its message counter, its readings as measurements. */
import { MessageMemory } from '../../../codecs/wmbus/freshness.ts';
import { WirelessMeter } from '../../../codecs/wmbus/kind.ts';
import type { RadioTelegram } from '../../../codecs/wmbus/receivers/receiver.ts';
import type { ClearTelegram } from '../../../codecs/wmbus/telegram.ts';
import { type Fault, fault } from '../../../domain/errors.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../../domain/resource-manager.ts';
import type { Settings } from '../../../domain/storage.ts';
import type { Cancel, Clock } from '../../../domain/time.ts';
import { MbusReport } from '../mbus-report.ts';
import { fingerprintOf } from '../replay-guard.ts';
import type { Seat, WirelessReceiver } from './receiver.ts';

export interface WirelessMeterOptions {
  readonly id: string;
  /** `12345678` or `KAM 12345678`. */
  readonly address: string;
  readonly key?: Uint8Array;
  /** IANA zone of the site: meters send local times. */
  readonly timeZone: string;
  /** Keeps the message counter, and what was told, over a restart. */
  readonly settings?: Pick<Settings, 'get' | 'set'>;
}

/** Walk-by meters send in working hours only. */
const SILENCE_MS = 4 * 86_400_000;
/** The counter goes to the disk no oftener: flash wears. */
const KEEP_MS = 15 * 60_000;

export class WirelessMeterSeat implements ResourceManager, Seat {
  readonly id: string;
  readonly number: string;
  readonly manufacturer: string | null;
  /** Telegrams that had come before, from a repeater or the meter. */
  repeated = 0;
  /** Shared by all meters on its line. */
  readonly receiver: WirelessReceiver;
  private readonly options: WirelessMeterOptions;
  private readonly clock: Clock;
  private readonly meter: WirelessMeter;
  private readonly memory: MessageMemory;
  private readonly report: MbusReport;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private keptAtMs: number | null = null;
  private cancelSilence: Cancel = () => {};

  constructor(options: WirelessMeterOptions, receiver: WirelessReceiver, clock: Clock) {
    const [number = '', manufacturer = null] = options.address.toUpperCase().split(' ').reverse();
    this.id = options.id;
    this.number = number;
    this.manufacturer = manufacturer;
    this.options = options;
    this.receiver = receiver;
    this.clock = clock;
    this.meter = new WirelessMeter(options.key ?? null);
    this.report = new MbusReport(options, clock);
    this.memory = new MessageMemory(options.settings?.get(this.setting()) ?? null);
  }

  open(events: ResourceEvents): void {
    this.events = events;
    this.awaitNext();
    this.receiver.join(this);
  }

  /** A meter takes no instruction. */
  instruct(): void {}

  async close(): Promise<void> {
    this.cancelSilence();
    this.keep();
    this.events = null;
    await this.receiver.leave(this);
  }

  take(telegram: RadioTelegram): Fault | null {
    const reason = this.read(telegram);
    if (reason) this.refuse(reason);
    return reason;
  }

  private read({ bytes, crc }: RadioTelegram): Fault | null {
    const clear = this.meter.open(bytes, crc);
    if (!clear.ok) return clear.error;
    const unsealed = this.refusal(clear.value);
    if (unsealed) return unsealed;
    const nowMs = this.clock.elapsedMs();
    const freshness = this.memory.judge(clear.value, nowMs);
    if (freshness === 'replayed') return fault('REPLAYED');
    if (freshness === 'leapt')
      return fault(
        'BAD_AUTHENTICATION',
        'the message counter leaps ahead by more than a day: not believed yet',
      );
    if (freshness === 'repeated') {
      this.repeated += 1;
      return null;
    }
    const telegram = this.meter.interpret(clear.value);
    if (!telegram.ok) return telegram.error;
    this.accepted(nowMs);
    if (this.events) this.report.tell(this.events, [telegram.value], [clear.value.status], this.number);
    return null;
  }

  lost(reason: Fault): void {
    this.events?.fault(reason);
    this.setHealth('silent', reason);
  }

  /** In clear although it has a key: anybody can send that. A maker's own cipher is looked at later. */
  private refusal({ secured, content }: ClearTelegram): Fault | null {
    return this.options.key && !secured && content !== 'manufacturer' ? fault('NOT_ENCRYPTED') : null;
  }

  private refuse(reason: Fault): void {
    this.events?.fault(reason);
    if (this.health === 'connecting') this.setHealth('faulty', reason);
  }

  private accepted(nowMs: number): void {
    this.setHealth('ok', null);
    this.awaitNext();
    if (this.keptAtMs === null || nowMs - this.keptAtMs >= KEEP_MS) {
      this.keptAtMs = nowMs;
      this.keep();
    }
  }

  private awaitNext(): void {
    this.cancelSilence();
    this.cancelSilence = this.clock.after(SILENCE_MS, () =>
      this.setHealth('silent', fault('TIMEOUT', 'the meter has not been heard for days')),
    );
  }

  private keep(): void {
    const { kept } = this.memory;
    if (kept !== null) this.options.settings?.set(this.setting(), kept);
  }

  /** Another meter in its place, or another key, counts from the start. */
  private setting(): string {
    const { id, key } = this.options;
    const meter = `${this.manufacturer ?? ''}${this.number}`;
    return `wmbus/${id}/counter/${meter}/${key ? fingerprintOf(key) : 'clear'}`;
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
