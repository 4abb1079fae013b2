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
  readonly ids: readonly string[];
  readonly manufacturers: readonly number[];
  readonly versions: readonly number[];
  readonly media: readonly number[];
}

const DIGITS = [...'0123456789'];
const LETTERS = [...'ABCDE'];
const BYTES = Array.from({ length: 255 }, (_, i) => i);

/** From so many meters on, a digit that was always the same is believed to be so. */
const ENOUGH_SEEN = 2;

/**
 * The digit to fix next. Meters of one house often come from few production runs: the high digits divide them into
 * runs whose low digits are then taken without gaps, which leaves the fewest masks silent. A digit in which no two
 * meters of this bus have differed so far divides nothing and comes last.
 */
function digitOf({ id }: SecondaryMask, { ids }: Seen): number {
  const varies = (at: number): boolean => ids.some((other) => other[at] !== ids[0]?.[at]);
  const open = [...id].flatMap((digit, at) => (digit === 'F' ? [at] : []));
  const telling = ids.length < ENOUGH_SEEN ? undefined : open.find(varies);
  return telling ?? open[0] ?? -1;
}

/** The masks below a mask, and how it was divided: by a digit, or by a field. */
export interface Split {
  readonly by: number | 'medium' | 'manufacturer' | 'version';
  readonly masks: readonly SecondaryMask[];
}

/** One digit fixed; when all digits stand the device type, then manufacturer, then version. Null: it cannot be divided. */
export function splitOf(mask: SecondaryMask, seen: Seen): Split | null {
  const at = digitOf(mask, seen);
  if (at >= 0) return { by: at, masks: DIGITS.map((digit) => withDigit(mask, at, digit)) };
  if (mask.medium === null) return byField(mask, 'medium', seen.media, DEVICE_TYPES);
  if (mask.manufacturer === null) return byField(mask, 'manufacturer', seen.manufacturers, MANUFACTURERS);
  if (mask.version === null) return byField(mask, 'version', seen.versions, BYTES);
  return null;
}

/** What is known to occur on this bus comes first. */
function byField(
  mask: SecondaryMask,
  by: Exclude<Split['by'], number>,
  seen: readonly number[],
  others: readonly number[],
): Split {
  const values = [...new Set([...seen, ...others])];
  return { by, masks: values.map((value) => ({ ...mask, [by]: value })) };
}

/** What a split leaves out because it is rare: the letters A to E as digits, device types without a name. */
export function restOf(mask: SecondaryMask, { by, masks }: Split): SecondaryMask[] {
  if (typeof by === 'number') return LETTERS.map((letter) => withDigit(mask, by, letter));
  if (by !== 'medium') return [];
  return BYTES.filter((medium) => masks.every((tried) => tried.medium !== medium)).map((medium) => ({
    ...mask,
    medium,
  }));
}

const withDigit = (mask: SecondaryMask, at: number, digit: string): SecondaryMask => ({
  ...mask,
  id: mask.id.slice(0, at) + digit + mask.id.slice(at + 1),
});
