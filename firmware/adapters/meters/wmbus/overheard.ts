/**
 * Meters that are heard and not read. Of each the last few telegrams are kept, encrypted ones only: what a neighbour's
 * meter says in clear is nobody's business. Nothing of this leaves the memory.
 */
import { WirelessMeter } from '../../../codecs/wmbus/kind.ts';
import type { RadioTelegram } from '../../../codecs/wmbus/receivers/receiver.ts';
import { type ErrorCode, type Fault, ok, type Result, refuse } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { HeardMeter, KeyTrial } from '../../../domain/radio.ts';
import type { MeterIdentity } from '../../../domain/telegram.ts';
import type { WallMs } from '../../../domain/time.ts';

interface Overheard {
  readonly meter: HeardMeter;
  /** The newest first. */
  readonly telegrams: readonly RadioTelegram[];
}

/** What another key may open. */
const SEALED: ReadonlySet<ErrorCode> = new Set(['KEY_MISSING', 'KEY_WRONG', 'BAD_AUTHENTICATION']);

export const isSealed = (reason: Fault): boolean => SEALED.has(reason.code);

/** How the house names a meter on the air. */
const nameOf = ({ manufacturer, id }: MeterIdentity): string => `${manufacturer} ${id}`;

export class OverheardMeters {
  /** In the order of their last telegrams. */
  private readonly meters = new Map<string, Overheard>();

  /** `reason` of a configured meter's refusal; one that nobody configured is tried without a key. */
  note(identity: MeterIdentity, telegram: RadioTelegram, lastMs: WallMs, reason?: Fault): HeardMeter {
    const name = nameOf(identity);
    const before = this.meters.get(name);
    const refused = reason ?? withKey(telegram, null).refused;
    const isNew = refused !== null && isSealed(refused);
    const telegrams = [...(isNew ? [telegram] : []), ...(before?.telegrams ?? [])].slice(0, LIMITS.wmbusKept);
    const meter: HeardMeter = {
      ...identity,
      configured: reason !== undefined,
      telegrams: (before?.meter.telegrams ?? 0) + 1,
      lastMs,
      signal_dBm: telegram.signal_dBm,
      refused,
      kept: telegrams.length,
    };
    this.meters.delete(name);
    const [oldest] = this.meters.keys();
    if (this.meters.size >= LIMITS.wmbusHeard && oldest !== undefined) this.meters.delete(oldest);
    this.meters.set(name, { meter, telegrams });
    return meter;
  }

  /** A configured meter that is read is nobody to be told of. */
  forget(identity: MeterIdentity): void {
    this.meters.delete(nameOf(identity));
  }

  heard(): readonly HeardMeter[] {
    return [...this.meters.values()].map(({ meter }) => meter).reverse();
  }

  /** The newest encrypted telegram of a meter, for a tool that takes one. */
  newest(identity: MeterIdentity): RadioTelegram | null {
    return this.meters.get(nameOf(identity))?.telegrams[0] ?? null;
  }

  tryKey(name: string, key: Uint8Array): Result<KeyTrial> {
    const found = this.meters.get(name);
    if (!found) return refuse('NOT_FOUND', `no meter ${name.slice(0, 12)} was heard`);
    if (found.telegrams.length === 0)
      return refuse('NO_TELEGRAM', `no encrypted telegram of ${name} has come yet`);
    const trials = found.telegrams.map((telegram) => withKey(telegram, key));
    const opened = trials.filter(({ refused }) => refused === null);
    return ok({
      tried: trials.length,
      opened: opened.length,
      refused: trials[0]?.refused ?? null,
      readings: opened[0]?.readings ?? [],
    });
  }
}

/** A compact frame whose format has not come yet shows all the same that the key is right. */
function withKey(
  { bytes, crc }: RadioTelegram,
  key: Uint8Array | null,
): Pick<KeyTrial, 'refused' | 'readings'> {
  const meter = new WirelessMeter(key);
  const clear = meter.open(bytes, crc);
  if (!clear.ok) return { refused: clear.error, readings: [] };
  const telegram = meter.interpret(clear.value);
  if (telegram.ok) return { refused: null, readings: telegram.value.readings };
  const isOpened = clear.value.secured && telegram.error.code === 'UNKNOWN_FORMAT';
  return { refused: isOpened ? null : telegram.error, readings: [] };
}
