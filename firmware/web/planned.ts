/** Planned quarter hours as an owner reads them: what goes on without a break is one stretch. */
import type { DeviceDecision } from '../domain/image.ts';

interface Stretch {
  fromMs: number;
  untilMs: number;
  power_W: number;
}

export function stretchesOf(planned: DeviceDecision['planned']): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { fromMs, untilMs, power_W } of planned) {
    const last = stretches.at(-1);
    if (last && last.untilMs === fromMs && last.power_W === power_W) last.untilMs = untilMs;
    else stretches.push({ fromMs, untilMs, power_W });
  }
  return stretches;
}
