/** A month of quarter hours, fetched by the gateway's own meter over TCP from a twin, the link cut at random. */
import { randomBytes } from 'node:crypto';
import { DLMS_DEFAULTS } from '../../firmware/adapters/meters/dlms/options.ts';
import { METER_PROTOCOLS } from '../../firmware/adapters/registry.ts';
import type { Settings } from '../../firmware/domain/storage.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { homeObjects, importAt, PERIOD_MS, PROFILE } from './dlms-home.ts';
import { dlmsTcp } from './dlms-server.ts';
import { until } from './until.ts';

const ZONE = 'Europe/Vienna';
/** The month has a change to summer time in it. */
const NOW = Date.UTC(2026, 3, 10, 9, 3);
const PERIODS = 31 * 96;
/** Waits between the attempts are so many times as short. */
const SPEED = 100;

export interface Month {
  readonly periods: number;
  /** Periods handed on, and how many different ones with the right value. */
  readonly handedOn: number;
  readonly right: number;
  readonly connections: number;
  readonly sent_bytes: number;
}

/** Each of the first `cuts` connections ends after some hundreds or thousands of bytes. */
export async function interruptedMonth(cuts: number, seed: number): Promise<Month> {
  const real = systemClock();
  const clock = {
    wallMs: () => NOW,
    elapsedMs: () => real.elapsedMs() * SPEED,
    after: (ms: number, task: () => void) => real.after(ms / SPEED, task),
  };
  const security = {
    systemTitle: Buffer.from('HRT00042'),
    key: randomBytes(16),
    authKey: randomBytes(16),
    control: 0x30,
  };
  const objects = homeObjects({ now: () => NOW, timeZone: ZONE, encoding: 'nulls' });
  const server = await dlmsTcp({
    carrier: 'wrapper',
    objects,
    security,
    mechanism: 'gmac',
    maxPdu_bytes: 1024,
  });
  const random = seededRandom(seed);
  server.cutAfter(Array.from({ length: cuts }, () => 600 + Math.floor(random.next() * 3000)));
  const profile = { code: PROFILE, periodMs: PERIOD_MS, periods: PERIODS };
  const dlms = {
    ...DLMS_DEFAULTS,
    carrier: 'wrapper',
    mechanism: 'gmac',
    answerMs: 60_000,
    profile,
  } as const;
  const { key, authKey } = security;
  const link = realLink({ kind: 'tcp', host: '127.0.0.1', port: server.port }, clock);
  const meter = METER_PROTOCOLS.dlms(
    { id: 'm', address: '', intervalMs: 3_600_000, timeZone: ZONE, settings: memory(), key, authKey, dlms },
    link,
    clock,
  );
  const handed: (readonly [number | null, number | null])[] = [];
  let done = false;
  meter.open({
    measured: () => {},
    history: (values) => {
      for (const { point, meterTimeMs, value } of values)
        if (point.quantity === 'activeEnergyImport') handed.push([meterTimeMs, value]);
    },
    flexibility: () => {},
    status: () => {},
    health: (health) => {
      done ||= health === 'ok';
    },
    fault: () => {},
  });
  await until('a visit that went well', () => done, 120_000);
  await meter.close();
  await server.close();
  const right = new Set(
    handed
      .filter(([at, value]) => at !== null && value === Math.floor(importAt(at) / 10) * 10)
      .map(([at]) => at),
  );
  return {
    periods: PERIODS,
    handedOn: handed.length,
    right: right.size,
    connections: server.connections(),
    sent_bytes: server.sent_bytes(),
  };
}

function memory(): Settings {
  const kept = new Map<string, string>();
  return {
    get: (name) => kept.get(name) ?? null,
    set: (name, value) => void kept.set(name, value),
    remove: (name) => void kept.delete(name),
  };
}
