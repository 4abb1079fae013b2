/** Chance that is the same for the same thing, over restarts, and another in the next home. */
import { createHash } from 'node:crypto';
import type { Random } from '../domain/random.ts';
import type { Settings } from '../domain/storage.ts';

const SETTING = 'draw.seed';

/** Uniform in [−1, 1) by name. The home's seed is drawn once and kept. */
export function drawsOf(settings: Settings, random: Random): (name: string) => number {
  const seed = settings.get(SETTING) ?? Buffer.from(random.bytes(16)).toString('hex');
  settings.set(SETTING, seed);
  return (name) => {
    const bytes = createHash('sha256').update(`${seed} ${name}`).digest();
    return (bytes.readUIntBE(0, 6) / 2 ** 48) * 2 - 1;
  };
}
