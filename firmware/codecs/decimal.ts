/** Digits to numbers without rounding on the way. */
import { type Factor, toHouseUnit } from '../domain/quantity.ts';

const DECIMAL = /^([+-]?)(\d{1,18})(?:[.,](\d{1,12}))?$/;

/** `219.251` × 10³ is 219251, never 219251.00000000003: the point is moved in the digits. Null when it is no decimal. */
export function scaled(digits: string, factor: Factor = PLAIN): number | null {
  const value = short(digits, factor.exponent) ?? long(digits, factor.exponent);
  return value === null || factor.multiply === 1 ? value : value * factor.multiply;
}

const PLAIN: Factor = { multiply: 1, exponent: 0 };
/** Whole numbers of so many digits are exact. */
export const EXACT_DIGITS = 15;

/** `000219.251` digit by digit: what nearly every value of a meter is. Null for anything else. */
function short(digits: string, exponent: number): number | null {
  const { length } = digits;
  if (length > EXACT_DIGITS || length === 0) return null;
  let integer = 0;
  let point = -1;
  for (let i = 0; i < length; i++) {
    const digit = digits.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) integer = integer * 10 + digit;
    else if (digit === -2 && point < 0 && i > 0 && i < length - 1) point = i;
    else return null;
  }
  return shifted(integer, point < 0 ? exponent : exponent - (length - 1 - point));
}

function long(digits: string, exponent: number): number | null {
  const m = DECIMAL.exec(digits);
  if (!m) return null;
  const [, sign = '', whole = '', fraction = ''] = m;
  return Number(`${sign}${whole}.${fraction || '0'}e${exponent}`);
}

/** A number with the unit as the meter writes it, in the unit of the house; an unknown unit is kept as it stands. */
export function measured(
  digits: string,
  unit: string,
): { readonly value: number; readonly unit: string } | null {
  const house = toHouseUnit(unit);
  const value = scaled(digits, house?.factor);
  return value === null ? null : { value, unit: house?.unit ?? unit };
}

/** Powers of ten that a number holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

/**
 * `integer` × 10^`exponent`, rounded once. One operation on two exact numbers rounds as the digits themselves would;
 * where that cannot be had, the digits decide.
 */
export function shifted(integer: number | bigint, exponent: number): number {
  const power = POWERS[Math.abs(exponent)];
  if (power !== undefined && typeof integer === 'number' && Number.isSafeInteger(integer)) {
    if (exponent <= 0) return integer / power;
    const product = integer * power;
    if (Number.isSafeInteger(product)) return product;
  }
  return Number(`${integer}e${exponent}`);
}
