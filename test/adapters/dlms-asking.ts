/** A gateway that asks a DLMS meter, what it hears of it, and what the home behind the meter has counted. */
import { DLMS_DEFAULTS, type DlmsOptions } from '../../firmware/adapters/meters/dlms/options.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import type { Security } from '../../firmware/codecs/dlms/cipher.ts';
import { type Measurement, pointKey } from '../../firmware/domain/measurement.ts';
import type { Settings } from '../../firmware/domain/storage.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { type LinkSpec, realLink } from '../../firmware/hal/links/open.ts';
import { type HomeOptions, homeObjects, importAt, PERIOD_MS } from '../twins/dlms-home.ts';
import type { DlmsServer } from '../twins/dlms-server.ts';

export const real = systemClock();
export const ZONE = 'Europe/Vienna';
export const KEY = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');
export const AUTH_KEY = Buffer.from('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF', 'hex');
export const METER: Security = {
  systemTitle: Buffer.from('4D4D4D0000BC614E', 'hex'),
  key: KEY,
  authKey: AUTH_KEY,
  control: 0x30,
};
export const DAY_MS = 86_400_000;

/** Waits are so many times as short; the wall clock stands where it is put. */
export const clockAt = (wallMs: number, speed = 20): Clock => ({
  wallMs: () => wallMs,
  elapsedMs: () => real.elapsedMs() * speed,
  after: (ms, task) => real.after(ms / speed, task),
});

export function memory(): Settings & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    get: (name) => kept.get(name) ?? null,
    set: (name, value) => void kept.set(name, value),
    remove: (name) => void kept.delete(name),
  };
}

export interface Asking {
  readonly link: LinkSpec;
  readonly dlms?: Partial<DlmsOptions>;
  readonly more?: Partial<MeterConfig>;
  readonly clock?: Clock;
}

export function ask({ link, dlms, more, clock = real }: Asking) {
  const meter = METER_PROTOCOLS.dlms(
    {
      id: 'm',
      address: '',
      intervalMs: 3_600_000,
      timeZone: ZONE,
      settings: memory(),
      ...more,
      dlms: { ...DLMS_DEFAULTS, carrier: 'wrapper', answerMs: 2000, ...dlms },
    },
    realLink(link, clock),
    clock,
  );
  const measured: Measurement[] = [];
  const history: Measurement[] = [];
  const faults: string[] = [];
  const said: string[] = [];
  const health: string[] = [];
  const noted: string[] = [];
  meter.open({
    measured: (m) => void measured.push(...m),
    history: (m) => void history.push(...m),
    flexibility: () => {},
    status: () => {},
    health: (h) => void health.push(h),
    fault: (f) => {
      faults.push(f.code);
      said.push(f.message);
    },
    noted: (event) => void noted.push(event.code),
  });
  const value = (point: string): number | null | undefined =>
    measured.findLast((m) => pointKey(m.point) === `m/${point}`)?.value;
  return { meter, measured, history, faults, said, health, noted, value };
}

export const tcp = (server: DlmsServer): LinkSpec => ({ kind: 'tcp', host: '127.0.0.1', port: server.port });
export const NOON = Date.UTC(2026, 4, 20, 10, 0, 30);
export const homeAt = (wallMs: number, more: Partial<HomeOptions> = {}) =>
  homeObjects({ now: () => wallMs, timeZone: ZONE, ...more });

/** Import and export of the newest periods, in order. */
export const expectedRows = (wallMs: number, periods: number): number[] =>
  endsBefore(wallMs, periods).flatMap((at) => [Math.floor(importAt(at) / 10) * 10, 5000]);
export const endsBefore = (wallMs: number, periods: number): number[] => {
  const last = Math.floor(wallMs / PERIOD_MS) * PERIOD_MS;
  return Array.from({ length: periods }, (_, i) => last - (periods - 1 - i) * PERIOD_MS);
};
