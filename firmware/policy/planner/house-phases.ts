/**
 * The fuse by phase as a plan sees it, where what is planned does not draw from all phases alike. Of the base load each
 * has a third, because nobody knows ahead what will be plugged in where; of a roof on all phases as well.
 */
import type { DeviceImage, Site } from '../../domain/image.ts';
import { bindsAt, mostOf } from './groups.ts';
import type { HouseSlots } from './house-slots.ts';
import { at, type Group, type Scenario } from './scenario.ts';

interface Home {
  readonly site: Site;
  readonly planned: readonly DeviceImage[];
  readonly roofs: readonly DeviceImage[];
  /** What the roofs are called in the scenario. */
  readonly sun: string;
}

/** Without what has to be forecast. Null where the connection says it all. */
export function phasesOf({ site, planned, roofs, sun }: Home, { n }: HouseSlots): Group[] | null {
  const isEven = ({ flexibility }: DeviceImage): boolean => flexibility.phases.length === site.phases;
  if (site.phases === 1 || planned.every(isEven)) return null;
  const ofSun = roofs.length > 0 && roofs.every(isEven) ? { [sun]: 1 / site.phases } : {};
  return ([1, 2, 3] as const).map((phase) => {
    const on = planned.filter((d) => d.flexibility.phases.includes(phase));
    const limit_kw = new Array<number>(n).fill((site.fuse_A * site.nominal_V) / 1000);
    const shares = Object.fromEntries(on.map((d) => [d.id, 1 / d.flexibility.phases.length]));
    return { id: `L${phase}`, limit_kw, shares: { ...ofSun, ...shares } };
  });
}

/** What house and sun leave of each phase, where that is less than what is planned may draw from it. */
export function phasesBeside(
  s: Scenario,
  sun: string,
  base_kw: readonly number[],
  solar_kw: readonly number[],
): Group[] | null {
  const phases = s.groups ?? [];
  const beside = phases.map((g) => ({
    ...g,
    limit_kw: g.limit_kw.map((fuse_kw, t) =>
      Math.max(0, fuse_kw - at(base_kw, t) / phases.length + (g.shares[sun] ?? 0) * at(solar_kw, t)),
    ),
  }));
  const tight = beside.filter((g) => g.limit_kw.some((_, t) => bindsAt(g, mostOf(s, g), t)));
  return tight.length > 0 ? tight : null;
}
