/** How a mask that several meters fit is split into narrower ones. */
import { DEVICE_TYPES, manufacturerWordOf } from './identity.ts';
import type { SecondaryMask } from './secondary.ts';

/**
 * Makers of wired meters, most common first: what is tried when two meters have the same number. Those that were
 * already seen on the bus are tried before.
 */
const MANUFACTURERS =
  'KAM SEN ZRI LUG HYD DME ELS ITW ACW SPX SON TCH EFE QDS REL SLB ABB SIE LGB EMH ISK GAV PAD SBC WEP ELV AMT MET BMT INV EIE NZR ZNR GWF EMU LSE EAS HAG FIN CAR'
    .split(' ')
    .map(manufacturerWordOf);

/** What is known of the bus: values that occur on it come first. */
export interface Seen {
  readonly manufacturers: readonly number[];
  readonly versions: readonly number[];
  readonly media: readonly number[];
}

const DIGITS = [...'0123456789'];
const LETTERS = [...'ABCDE'];
const BYTES = Array.from({ length: 255 }, (_, i) => i);

const first = (seen: readonly number[], rest: readonly number[]): number[] => [
  ...new Set([...seen, ...rest]),
];

/**
 * The masks below a mask. The lowest digit is fixed first: numbers from one production run differ there, while a
 * walk from the highest digit goes down the whole common beginning. When all digits stand: device type, manufacturer,
 * version. `wide` gives what the plain split leaves out because it is rare. Empty when there is nothing to split.
 */
export function splitOf(mask: SecondaryMask, seen: Seen, wide = false): SecondaryMask[] {
  const at = mask.id.lastIndexOf('F');
  if (at >= 0) {
    const choices = wide ? LETTERS : DIGITS;
    return choices.map((digit) => ({ ...mask, id: mask.id.slice(0, at) + digit + mask.id.slice(at + 1) }));
  }
  if (mask.medium === null) return without(first(seen.media, DEVICE_TYPES), BYTES, wide, 'medium', mask);
  if (mask.manufacturer === null) {
    return without(first(seen.manufacturers, MANUFACTURERS), [], wide, 'manufacturer', mask);
  }
  if (mask.version === null) return without(first(seen.versions, BYTES), [], wide, 'version', mask);
  return [];
}

function without(
  plain: readonly number[],
  all: readonly number[],
  wide: boolean,
  field: 'medium' | 'manufacturer' | 'version',
  mask: SecondaryMask,
): SecondaryMask[] {
  const values = wide ? all.filter((value) => !plain.includes(value)) : plain;
  return values.map((value) => ({ ...mask, [field]: value }));
}
