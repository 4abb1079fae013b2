/** What a device's store asks of its profile and of its other fields. */
import type { Profile } from '../adapters/profiles/schema.ts';
import type { Mistake } from './mistake.ts';

interface Row {
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** A store is planned by what it holds and by comfort or reserve; it has no energy that is due by a time. */
export const storesEnergy = ({ fields: { battery, heat } }: Row): boolean =>
  isThere(battery) || isThere(heat);

export function storeRules(device: Row, profiles: ReadonlyMap<string, Profile>): Mistake[] {
  const { fields } = device;
  const at = (key: string, message: string): Mistake => ({ path: `${device.path}.${key}`, message });
  const dueByTime =
    storesEnergy(device) && isThere(fields.deadline)
      ? [at('deadline', 'expected none: what it stores is planned by its reserve or its comfort instead')]
      : [];
  const profile = profiles.get(String(fields.profile));
  return profile ? [...dueByTime, ...besideProfile(fields, profile, at)] : dueByTime;
}

function besideProfile(
  { battery, heat, levels_W }: Row['fields'],
  { control, temperature }: Profile,
  at: (key: string, message: string) => Mistake,
): Mistake[] {
  const mistakes: Mistake[] = [];
  const isBattery = control.kind === 'power';
  if (isBattery && !isThere(battery))
    mistakes.push(
      at('battery', 'missing: expected {"capacity_Wh": number, "charge_W": number, "discharge_W": number}'),
    );
  if (!isBattery && isThere(battery))
    mistakes.push(at('battery', 'expected none: the profile is not of a battery'));
  if (isThere(heat) && (temperature === undefined || isBattery))
    mistakes.push(at('heat', 'expected none: the profile does not measure a temperature'));
  if (levels_W === undefined) return mistakes;
  if (control.kind !== 'levels') mistakes.push(at('levels_W', 'expected none: the profile has no levels'));
  else if (Array.isArray(levels_W) && levels_W.length !== control.levels.length - 1)
    mistakes.push(
      at('levels_W', `expected ${control.levels.length - 1} powers: one for each level above off`),
    );
  return mistakes;
}
