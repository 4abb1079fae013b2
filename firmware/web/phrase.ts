/** What sentences are made of: numbers with their units, times, and clauses that are left out where nothing is known. */
import type { WallMs } from '../domain/time.ts';
import { timeWords } from './zone.ts';

/** Where and when a sentence is said. */
export interface Place {
  readonly nowMs: WallMs;
  readonly timeZone: string;
  readonly currency: string;
}

export type Values = Readonly<Record<string, unknown>>;

export const number = (values: Values, ...names: readonly string[]): number | null => {
  for (const name of names) {
    const value = values[name];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return null;
};
export const text = (values: Values, name: string): string | null => {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

/** `640 W`, `4.2 kW`; the sign is left to the words around it. */
export function powerWords(power_W: number): string {
  const size = Math.abs(power_W);
  if (size < 995) return `${Math.round(size)} W`;
  return `${(size / 1000).toFixed(size < 9_950 ? 1 : 0).replace(/\.0$/, '')} kW`;
}

/** `€3.32`. */
export const moneyWords = (value: number, currency: string): string =>
  new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(value);

/** Price per kWh from currency per Wh. */
export function priceWords(price: number, currency: string): string {
  const cents = currency === 'EUR' || currency === 'USD';
  return cents ? `${(price * 100_000).toFixed(1)} ct/kWh` : `${(price * 1000).toFixed(3)} ${currency}/kWh`;
}

export const clause = (before: string, value: string | null, after = ''): string =>
  value === null ? '' : `${before}${value}${after}`;

export class Phrase {
  readonly values: Values;
  readonly place: Place;

  constructor(values: Values, place: Place) {
    this.values = values;
    this.place = place;
  }

  power(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : powerWords(value);
  }

  time(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : timeWords(this.place.timeZone, value, this.place.nowMs);
  }

  /** `for 4 more minutes` from a duration. */
  left(): string {
    const leftMs = number(this.values, 'leftMs');
    if (leftMs === null) return this.until();
    const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
    return minutes === 1 ? ' for another minute' : ` for ${minutes} more minutes`;
  }

  /** Who sent a signal; `failsafe` is what we agreed on for when nobody sends one. */
  source(): string {
    const source = this.text('source');
    return source === null || source === 'failsafe' ? 'the grid operator' : source;
  }

  price(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : priceWords(value, this.place.currency);
  }

  /** `0.84 EUR`; null for what would not show. */
  money(name: string): string | null {
    const value = number(this.values, name);
    return value === null || value < 0.005 ? null : `${value.toFixed(2)} ${this.place.currency}`;
  }

  /** `54 %` of a share from 0 to 1. */
  share(name: string): string | null {
    const value = number(this.values, name);
    return value === null ? null : `${Math.round(value * 100)} %`;
  }

  degrees(name: string): string | null {
    const value = number(this.values, name);
    return value === null ? null : `${value.toFixed(1)} °C`;
  }

  text(name: string): string | null {
    return text(this.values, name);
  }

  until(): string {
    return clause(' until ', this.time('untilMs'));
  }
}

export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
