/** `hearth decode` kind `wmbus`: one wireless telegram, EN 13757-4, after the earlier ones of the same meter. */
import { ok, type Result } from '../../domain/errors.ts';
import type { DecodeInput, DecodeOutput, Reading, Telegram } from '../../domain/telegram.ts';
import { readApplication } from '../mbus/application.ts';
import { identityOf } from '../mbus/identity.ts';
import { hexOf } from '../mbus/records.ts';
import { FormatStore } from './compact.ts';
import { unmaskRealData } from './profiles/diehl-izar.ts';
import { findProfile } from './profiles/index.ts';
import { type ClearTelegram, readWireless } from './telegram.ts';

/** Reads the telegrams of one meter in their order and remembers the formats of its full frames. */
export class WirelessMeter {
  readonly #formats = new FormatStore();
  readonly #key: Uint8Array | null;

  constructor(key: Uint8Array | null) {
    this.#key = key;
  }

  read(bytes: Uint8Array): Result<Telegram> {
    const clear = readWireless(bytes, this.#key);
    return clear.ok ? this.#application(clear.value) : clear;
  }

  #application(clear: ClearTelegram): Result<Telegram> {
    if (clear.content === 'manufacturer') return manufacturerTelegram(clear);
    if (clear.content === 'format') {
      const learnt = this.#formats.learnFormat(clear.payload);
      return learnt.ok ? ok({ meter: identityOf(clear.meter), readings: [] }) : learnt;
    }
    if (clear.content === 'full') return ok(this.#full(clear, unmaskRealData(clear) ?? clear.payload));
    const named = profileReadings(clear);
    const start = clear.payload[0] === 0x2f && clear.payload[1] === 0x2f ? 2 : 0;
    const full = this.#formats.expand(clear.payload.subarray(start));
    if (full.ok) return ok(this.#full(clear, full.value));
    return named.length > 0 ? ok({ meter: identityOf(clear.meter), readings: named }) : full;
  }

  #full(clear: ClearTelegram, payload: Uint8Array): Telegram {
    const { telegram, parsed } = readApplication(clear.meter, payload);
    this.#formats.learn(payload, parsed);
    const general = clear.doubtful ? telegram.readings.map(doubted) : telegram.readings;
    return { ...telegram, readings: [...general, ...profileReadings(clear)] };
  }
}

const doubted = (reading: Reading): Reading => ({ ...reading, quality: reading.quality ?? 'doubtful' });

function profileReadings(clear: ClearTelegram): readonly Reading[] {
  return findProfile(clear)?.decode(clear) ?? [];
}

/** A payload of a manufacturer's own: by its profile, else as it is. */
function manufacturerTelegram(clear: ClearTelegram): Result<Telegram> {
  const base = {
    i: 0,
    function: 'mfct',
    storage: 0,
    tariff: 0,
    subunit: 0,
    quantity: 'manufacturerSpecific',
  };
  const record = { ...base, hex: hexOf(clear.payload) };
  return ok({ meter: identityOf(clear.meter), readings: profileReadings(clear), records: [record] });
}

export function decodeWmbus(input: DecodeInput): DecodeOutput {
  const meter = new WirelessMeter(input.key ?? null);
  for (const earlier of input.preceding ?? []) meter.read(earlier);
  const result = meter.read(input.bytes);
  if (result.ok) return { telegrams: [result.value], faults: [], discarded: 0 };
  return { telegrams: [], faults: [result.error], discarded: input.bytes.length };
}
