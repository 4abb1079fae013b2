import type { ClearTelegram } from '../telegram.ts';
import type { Profile } from './profile.ts';

/** The first that matches reads the telegram. */
const PROFILES: readonly Profile[] = [];

export function findProfile(telegram: ClearTelegram): Profile | undefined {
  return PROFILES.find((profile) => profile.matches(telegram));
}
