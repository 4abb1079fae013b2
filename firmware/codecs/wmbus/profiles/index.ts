import type { ClearTelegram } from '../telegram.ts';
import { apator08, apator162, apator172 } from './apator.ts';
import { hydrodigit } from './bmeters.ts';
import { diehlIzar } from './diehl-izar.ts';
import { microclima } from './maddalena.ts';
import { bfw, ebz, hydroclima, waterstar, zenner } from './others.ts';
import type { Profile } from './profile.ts';
import { qundis } from './qundis.ts';
import { techem } from './techem.ts';

/** The first that matches reads the telegram. */
const PROFILES: readonly Profile[] = [
  diehlIzar,
  apator162,
  apator08,
  apator172,
  techem,
  zenner,
  bfw,
  qundis,
  hydrodigit,
  microclima,
  ebz,
  waterstar,
  hydroclima,
];

export function findProfile(telegram: ClearTelegram): Profile | undefined {
  return PROFILES.find((profile) => profile.matches(telegram));
}
