/** `hearth decode` kind `wmbus`: one wireless telegram, EN 13757-4, after the earlier ones of the same meter. */
import { ok, type Result } from '../../domain/errors.ts';
import type { DecodeInput, DecodeOutput, Reading, Telegram } from '../../domain/telegram.ts';
import { hexOf } from '../bytes.ts';
import { readApplication } from '../mbus/application.ts';
import { identityOf } from '../mbus/identity.ts';
import { withObis } from '../mbus/obis-code.ts';
import { DIEHL_AES_KEY, DIEHL_MAKERS, diehlAddress, openRealData } from '../mbus/profiles/diehl-prios.ts';
import { namedReadings } from '../mbus/profiles/index.ts';
import { FormatStore } from './compact.ts';
import type { CrcForm } from './link.ts';
import { type ClearTelegram, readWireless } from './telegram.ts';

/** Reads the telegrams of one meter in their order and remembers the formats of its full frames. */
export class WirelessMeter {
  readonly #formats = new FormatStore();
  readonly #key: Uint8Array | null;

  constructor(key: Uint8Array | null) {
    this.#key = key;
  }

  read(bytes: Uint8Array): Result<Telegram> {
    const clear = this.open(bytes);
    return clear.ok ? this.interpret(clear.value) : clear;
  }

  /** All layers but the application, whose bytes are in clear then. */
  open(bytes: Uint8Array, crc: CrcForm | 'auto' = 'auto'): Result<ClearTelegram> {
    const clear = readWireless(bytes, this.#key, crc);
    if (clear.ok) return ok(withDiehlAddress(clear.value));
    if (clear.error.code !== 'KEY_MISSING') return clear;
    // Without a key of its own a meter may still have the public one of its maker.
    const byDefault = readWireless(bytes, DIEHL_AES_KEY, crc);
    if (!byDefault.ok || !DIEHL_MAKERS.includes(byDefault.value.sender.manufacturer)) return clear;
    return ok({ ...byDefault.value, secured: false });
  }

  /** What an opened telegram says. Remembers the format of a full frame: call it for those that are accepted. */
  interpret(clear: ClearTelegram): Result<Telegram> {
    switch (clear.content) {
      case 'manufacturer':
        return manufacturerTelegram(clear, this.#key);
      case 'format': {
        const learnt = this.#formats.learnFormat(clear.payload);
        return learnt.ok ? ok({ meter: identityOf(clear.meter), readings: [] }) : learnt;
      }
      case 'full':
        return this.#full(clear, openRealData(clear, this.#key) ?? clear.payload);
      case 'compact':
        return this.#compact(clear);
    }
  }

  #compact(clear: ClearTelegram): Result<Telegram> {
    const start = clear.payload[0] === 0x2f && clear.payload[1] === 0x2f ? 2 : 0;
    const full = this.#formats.expand(clear.payload.subarray(start));
    if (full.ok) return this.#full(clear, full.value);
    const named = namedReadings({ ...clear, records: [], key: this.#key });
    if (!named.ok || named.value.length === 0) return full;
    return ok({ meter: identityOf(clear.meter), readings: named.value });
  }

  /** Rubbish after the last record is common; nothing but rubbish is no telegram. */
  #full(clear: ClearTelegram, payload: Uint8Array): Result<Telegram> {
    const { telegram, parsed, stopped } = readApplication({
      sender: clear.sender,
      meter: clear.meter,
      ci: clear.ci,
      accessNumber: clear.accessNumber,
      status: clear.status,
      payload,
      key: this.#key,
    });
    if (stopped && telegram.readings.length === 0 && parsed.records.length === 0)
      return { ok: false, error: stopped };
    this.#formats.learn(payload, parsed);
    if (!clear.doubtful) return ok(telegram);
    return ok({ ...telegram, readings: telegram.readings.map(doubted) });
  }
}

const doubted = (reading: Reading): Reading => ({ ...reading, quality: reading.quality ?? 'doubtful' });

function withDiehlAddress(clear: ClearTelegram): ClearTelegram {
  const meter = diehlAddress(clear.sender, clear.ci, clear.configuration);
  return meter ? { ...clear, meter } : clear;
}

/** A payload of a manufacturer's own: by its profile, else as it is. */
function manufacturerTelegram(clear: ClearTelegram, key: Uint8Array | null): Result<Telegram> {
  const base = {
    i: 0,
    function: 'mfct',
    storage: 0,
    tariff: 0,
    subunit: 0,
    quantity: 'manufacturerSpecific',
  };
  const named = namedReadings({ ...clear, records: [], key });
  if (!named.ok) return named;
  const record = { ...base, hex: hexOf(clear.payload) };
  const readings = withObis(named.value, [], clear.meter.mediumCode);
  return ok({ meter: identityOf(clear.meter), readings, records: [record] });
}

export function decodeWmbus(input: DecodeInput): DecodeOutput {
  const meter = new WirelessMeter(input.key ?? null);
  for (const earlier of input.preceding ?? []) meter.read(earlier);
  const result = meter.read(input.bytes);
  if (result.ok) return { telegrams: [result.value], faults: [], discarded: 0 };
  return { telegrams: [], faults: [result.error], discarded: input.bytes.length };
}
