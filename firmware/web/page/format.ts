/** Numbers and times as the owner reads them. Unknown is a dash, never a zero. */
import { nextLocalTime } from '../../domain/calendar.ts';
import { dayStart } from '../zone.ts';

const DASH = '–';

export interface Amount {
  readonly number: string;
  readonly unit: string;
}

/** Size of a power; its direction is said in words beside it. */
export function power(power_W: number | null): Amount {
  if (power_W === null) return { number: DASH, unit: 'kW' };
  const size = Math.abs(power_W);
  if (size < 995) return { number: String(Math.round(size)), unit: 'W' };
  return { number: (size / 1000).toFixed(size < 9_995 ? 2 : size < 99_950 ? 1 : 0), unit: 'kW' };
}

/** `2.4 kW`: short, for labels. */
export function powerText(power_W: number | null): string {
  if (power_W === null) return DASH;
  const size = Math.abs(power_W);
  return size < 995 ? `${Math.round(size)} W` : `${(size / 1000).toFixed(size < 99_950 ? 1 : 0)} kW`;
}

/** @param digits after the point; without it as many as a household reads */
export function energy(energy_Wh: number | null, digits?: number): Amount {
  if (energy_Wh === null) return { number: DASH, unit: 'kWh' };
  const usual = Math.abs(energy_Wh) < 99_950 ? 1 : 0;
  return { number: (energy_Wh / 1000).toFixed(digits ?? usual), unit: 'kWh' };
}

export function money(value: number | null, currency: string): string {
  if (value === null) return DASH;
  return new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(value);
}

/** Price per kWh in hundredths where the currency has them (`28.4 ct`). */
export function price(value: number | null, currency: string): Amount {
  const cents = currency === 'EUR' || currency === 'USD';
  const unit = cents ? 'ct/kWh' : `${currency}/kWh`;
  if (value === null) return { number: DASH, unit };
  return { number: cents ? (value * 100).toFixed(1) : value.toFixed(3), unit };
}

export function clock(atMs: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(atMs);
}

/** `tomorrow ` before a time of day that is not of today's. */
export const dayWord = (atMs: number, nowMs: number, timeZone: string): string =>
  atMs >= dayStart(timeZone, nowMs, 1) ? 'tomorrow ' : '';

export function dayAndClock(atMs: number, nowMs: number, timeZone: string): string {
  const time = clock(atMs, timeZone);
  if (atMs >= dayStart(timeZone, nowMs)) return time;
  if (atMs >= dayStart(timeZone, nowMs, -1)) return `Yesterday ${time}`;
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short' }).format(atMs);
  return `${day} ${time}`;
}

/** The next time that the site's clock shows `HH:MM`; null for anything else. */
export function nextTime(text: string, nowMs: number, timeZone: string): number | null {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text) ? nextLocalTime(nowMs, text, timeZone) : null;
}

/** `2026-06-17`. */
export const date = (atMs: number, timeZone: string): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(atMs);

/** `Wed 17 Jun`. */
export const weekday = (atMs: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', day: 'numeric', month: 'short' })
    .format(atMs)
    .replace(',', '');
