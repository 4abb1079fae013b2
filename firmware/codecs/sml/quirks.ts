/** What single meters do differently, as data. */
import type { Reading, Telegram } from '../../domain/telegram.ts';
import { ascii, toHex } from '../bytes.ts';

/** What a meter cannot be told to do by its number alone: switches for the installer. */
export interface SmlQuirks {
  /** The power is unsigned though it is tagged as signed: DZG DVBS12.2H, DVS7612.2, WS74121 (libsml#125, #162). */
  readonly unsignedPower?: boolean | undefined;
  /** This bit of the status word says that the house delivers, and the power has no sign. */
  readonly deliveryBit?: number | undefined;
}

const POWERS: ReadonlySet<string> = new Set(['16', '36', '56', '76'].map((c) => `1-0:${c}.7.0*255`));

interface UnsignedPower {
  readonly manufacturer: string;
  /** Decimal serial numbers, both ends included. */
  readonly serials: readonly (readonly [from: number, to: number])[];
  readonly obis: readonly string[];
}

/** DZG DVS74 sends the power unsigned in one to three bytes and tags it as signed (volkszaehler/libsml#59, #105, #132, #136). */
const UNSIGNED_POWER: readonly UnsignedPower[] = [
  {
    manufacturer: 'DZG',
    serials: [
      [42_000_000, 48_999_999],
      [55_000_000, 58_999_999],
    ],
    obis: ['1-0:16.7.0*255'],
  },
];

/** `id` is the server id, `0A 01`, three letters and five bytes of number. */
export function sendsUnsignedPower(id: Uint8Array | null, obis: string, quirks: SmlQuirks): boolean {
  if (quirks.unsignedPower !== undefined) return quirks.unsignedPower && POWERS.has(obis);
  if (!id) return false;
  return UNSIGNED_POWER.some(
    ({ manufacturer, obis: codes, serials }) =>
      codes.includes(obis) &&
      id.length === 10 &&
      id[0] === 0x0a &&
      id[1] === 0x01 &&
      ascii(id, 2, 5) === manufacturer &&
      isAmong(Number.parseInt(toHex(id.subarray(5)), 16), serials),
  );
}

const isAmong = (serial: number, ranges: UnsignedPower['serials']): boolean =>
  ranges.some(([from, to]) => serial >= from && serial <= to);

interface Direction {
  readonly manufacturer: string;
  readonly bit: number;
}

/**
 * EMH ED300L sends the magnitude of the power (15.7.0) and its direction in the status of the energy: 182h while it
 * draws, 1B0h while it delivers. AS2020 and some Holley DTZ541 do the same with bit 11, which their number does not tell.
 */
const DIRECTION: readonly Direction[] = [{ manufacturer: 'EMH', bit: 5 }];
const MAGNITUDE = '1-0:15.7.0*255';
const NET = '1-0:16.7.0*255';
const ENERGY = '1-0:1.8.0*255';

/** The same telegram with its power as a signed one, where the meter says the direction elsewhere. */
export function withDirection(telegram: Telegram, { deliveryBit }: SmlQuirks): Telegram {
  const { meter, readings } = telegram;
  const bit = deliveryBit ?? DIRECTION.find((row) => row.manufacturer === meter?.manufacturer)?.bit;
  const status = readings.find(({ obis }) => obis === ENERGY)?.status;
  if (bit === undefined || status === undefined) return telegram;
  const signed = deliveryBit === undefined ? [MAGNITUDE] : [MAGNITUDE, NET];
  const delivers = Math.floor(status / 2 ** bit) % 2 === 1;
  const turned = (reading: Reading): Reading => {
    if (!signed.includes(reading.obis ?? '') || typeof reading.value !== 'number') return reading;
    return { ...reading, obis: NET, value: delivers ? -Math.abs(reading.value) : Math.abs(reading.value) };
  };
  return { ...telegram, readings: readings.map(turned) };
}
