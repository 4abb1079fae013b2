/** What the program of an appliance asks of its profile and of its other fields. */
import type { Profile } from '../adapters/profiles/schema.ts';
import type { Mistake } from './mistake.ts';

interface Row {
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** It runs when its owner asks, and is due by what is asked for. */
export const hasProgram = ({ fields: { program } }: Row): boolean => isThere(program);

export function programRules(device: Row, profiles: ReadonlyMap<string, Profile>): Mistake[] {
  const { deadline, rated_W, profile: name } = device.fields;
  const at = (key: string, message: string): Mistake => ({ path: `${device.path}.${key}`, message });
  const profile = profiles.get(String(name));
  const isAppliance = profile?.kind === 'appliance';
  if (!hasProgram(device))
    return isAppliance
      ? [at('program', 'missing: expected what it does, [{"minutes": number, "power_W": number}, …]')]
      : [];
  const mistakes: Mistake[] = [];
  if (profile && !isAppliance)
    mistakes.push(at('program', 'expected none: the profile is not of an appliance'));
  if (isThere(deadline))
    mistakes.push(
      at('deadline', 'expected none: its owner asks for each run, and by when it has to be done'),
    );
  if (isThere(rated_W))
    mistakes.push(at('rated_W', 'expected none: the highest power of the program says it'));
  return mistakes;
}
