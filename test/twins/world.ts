/**
 * The physics of a home that the twins share: what the house draws, what the sun gives, what the devices take,
 * and so what the meter shows. A function of time and of what was commanded; the same for the same seed.
 */
import type { WallMs } from '../../firmware/domain/time.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface Appliance {
  /** Present power in W, consumption positive, production negative. */
  power_W(atMs: WallMs): number;
}

/** A small hash noise in [0, 1): repeatable, without a state that the order of calls could disturb. */
export function noise(seed: number, slot: number): number {
  let x = Math.imul(seed ^ (slot | 0), 0x9e3779b1) ^ Math.floor(slot / 4294967296);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 4294967296;
}

/** Base load: a night level, peaks in the morning and the evening, and a fridge and a kettle on top. */
export function baseLoad_W(seed: number, atMs: WallMs): number {
  const hour = (((atMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS;
  const bump = (centre: number, width: number): number => Math.exp(-(((hour - centre) / width) ** 2));
  const fridge = noise(seed, Math.floor(atMs / 600_000)) < 0.35 ? 90 : 0;
  const kettle = noise(seed + 1, Math.floor(atMs / 180_000)) < 0.02 ? 1800 : 0;
  const flicker = 40 * noise(seed + 2, Math.floor(atMs / 10_000));
  return 180 + 350 * bump(7, 1.2) + 550 * bump(19, 2) + fridge + kettle + flicker;
}

/** A roof of `peak_W`: a clear-sky bell from 7 to 19 (UTC), under clouds that change every five minutes. */
export function sun_W(seed: number, peak_W: number, atMs: WallMs): number {
  const hour = (((atMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS;
  const height = Math.sin(((hour - 7) / 12) * Math.PI);
  if (hour < 7 || hour > 19 || height <= 0) return 0;
  const cloud = 0.45 + 0.55 * noise(seed + 3, Math.floor(atMs / 300_000));
  return peak_W * height * cloud;
}

/** The home behind one meter. Energy registers grow by what flows between two looks at it. */
export class World {
  readonly appliances: Appliance[] = [];
  importEnergy_Wh = 4_211_734;
  exportEnergy_Wh = 1_873_220;
  private readonly seed: number;
  private lastMs: WallMs | null = null;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Net power at the connection, import positive. */
  net_W(atMs: WallMs): number {
    return baseLoad_W(this.seed, atMs) + this.appliances.reduce((sum, a) => sum + a.power_W(atMs), 0);
  }

  /** Moves the registers on to `atMs`; returns the net power there. */
  advance(atMs: WallMs): number {
    const net = this.net_W(atMs);
    const hours = this.lastMs === null ? 0 : Math.max(0, atMs - this.lastMs) / HOUR_MS;
    this.importEnergy_Wh += Math.max(0, net) * hours;
    this.exportEnergy_Wh += Math.max(0, -net) * hours;
    this.lastMs = atMs;
    return net;
  }
}
