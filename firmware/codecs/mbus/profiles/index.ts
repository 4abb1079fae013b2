/** The products that are known, one line each; a telegram finds its own by manufacturer, version and medium. */
import { ok, type Result } from '../../../domain/errors.ts';
import type { Reading } from '../../../domain/telegram.ts';
import { HEX_OF_BYTE } from '../../bytes.ts';
import { apator08 } from './apator-08.ts';
import { apator162 } from './apator-162.ts';
import { apator172 } from './apator-172.ts';
import { apatorEItn } from './apator-e-itn.ts';
import { apatorNa1 } from './apator-na1.ts';
import { axiomaQ400 } from './axioma-qalcosonic.ts';
import { bfw240 } from './bfw-240.ts';
import { hydroclima10, hydroclima11 } from './bmeters-hydroclima.ts';
import { hydrodigit } from './bmeters-hydrodigit.ts';
import { rfmTx1 } from './bmeters-rfm-tx1.ts';
import { diehlIzar } from './diehl-izar.ts';
import { ei6500 } from './ei-6500.ts';
import { abbB23, ebz, eltako, em24, iem3000, imeConto, imeNemo, omnipower } from './electricity.ts';
import { engelmannFaw } from './engelmann-faw.ts';
import { gwfWater } from './gwf-water.ts';
import { kamstrupHeat, kamstrupPressure, kamstrupWater } from './kamstrup.ts';
import { evo868, microclima, waterstar } from './monthly-histories.ts';
import { applyProfile, type Product, type Profile } from './profile.ts';
import { qundis } from './qundis.ts';
import { compact5, fhkv2, fhkv3, fhkv3Version94, mkRadio3a, mkRadio34, tsd2, vario451 } from './techem.ts';
import { zenner0b } from './zenner-0b.ts';

export const PROFILES: readonly Profile[] = [
  abbB23,
  apator08,
  apator162,
  apator172,
  apatorEItn,
  apatorNa1,
  axiomaQ400,
  bfw240,
  hydroclima10,
  hydroclima11,
  hydrodigit,
  rfmTx1,
  diehlIzar,
  ebz,
  ei6500,
  eltako,
  em24,
  engelmannFaw,
  evo868,
  gwfWater,
  iem3000,
  imeConto,
  imeNemo,
  kamstrupHeat,
  kamstrupPressure,
  kamstrupWater,
  microclima,
  omnipower,
  qundis,
  mkRadio3a,
  mkRadio34,
  vario451,
  compact5,
  fhkv2,
  fhkv3Version94,
  fhkv3,
  tsd2,
  waterstar,
  zenner0b,
];

/** By maker, then by `version/medium`: most makers have no profile, and most products of one none. */
const byMaker = new Map<string, Map<string, Profile[]>>();
for (const profile of PROFILES) {
  for (const product of profile.products) {
    const [maker, ...rest] = product.split('/');
    const products = byMaker.get(maker ?? '') ?? new Map<string, Profile[]>();
    byMaker.set(maker ?? '', products);
    const kind = rest.join('/');
    products.set(kind, [...(products.get(kind) ?? []), profile]);
  }
}

const NONE: Result<readonly Reading[]> = ok([]);

/** CI fields that a manufacturer gives its own meaning (EN 13757-7, table of CI fields). */
export const isManufacturerCi = (ci: number): boolean => ci >= 0xa0 && ci <= 0xb7;

const NO_PROFILES: readonly Profile[] = [];

/** The profiles of a product, the most exact first. */
export function profilesOf(product: Product): readonly Profile[] {
  const { manufacturer, version, mediumCode } = isManufacturerCi(product.ci) ? product.sender : product.meter;
  const products = byMaker.get(manufacturer);
  if (!products) return NO_PROFILES;
  const [v, m] = [HEX_OF_BYTE[version], HEX_OF_BYTE[mediumCode]];
  const kinds = [`${v}/${m}`, `${v}/*`, `*/${m}`, '*/*'].flatMap((kind) => products.get(kind) ?? NO_PROFILES);
  return kinds.filter(({ ci }) => !ci || ci.includes(product.ci));
}

/** Named readings of the first profile that has some. */
export function namedReadings(product: Product): Result<readonly Reading[]> {
  for (const profile of profilesOf(product)) {
    const readings = applyProfile(profile, product);
    if (!readings.ok || readings.value.length > 0) return readings;
  }
  return NONE;
}
