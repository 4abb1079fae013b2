/** What a meter has: the object list of its association, class 15, attribute 2 (IEC 62056-6-2, 4.4.4). */
import { formatObis, meaningOf, parseObis } from '../../domain/obis.ts';
import type { Data } from './axdr.ts';

export interface CosemObject {
  readonly classId: number;
  readonly obis: Uint8Array;
}

/** Register, extended register and demand register: value in attribute 2. */
const VALUE_CLASSES = new Set([3, 4, 5]);

/** The registers whose codes the house knows and whose value this client may read, up to `most`. */
export function registersOf(list: Data, most: number): readonly CosemObject[] {
  if (list.kind !== 'array') return [];
  const found: CosemObject[] = [];
  for (const item of list.items) {
    const [classId, , obis, rights] = item.kind === 'structure' ? item.items : [];
    if (classId?.kind !== 'integer' || obis?.kind !== 'octets' || obis.bytes.length !== 6) continue;
    const code = parseObis(formatObis(obis.bytes));
    const known = VALUE_CLASSES.has(Number(classId.value)) && code !== null && meaningOf(code) !== null;
    if (known && readable(rights) && found.length < most)
      found.push({ classId: Number(classId.value), obis: obis.bytes.slice() });
  }
  return found;
}

/** Access rights: structure of attribute items (id, mode, selectors) and methods. Unknown forms are tried. */
function readable(rights: Data | undefined): boolean {
  const [attributes] = rights?.kind === 'structure' ? rights.items : [];
  if (attributes?.kind !== 'array') return true;
  const value = attributes.items.find((a) => a.kind === 'structure' && numberOf(a.items[0]) === 2);
  const mode = value?.kind === 'structure' ? numberOf(value.items[1]) : null;
  // 0 no access, 2 write only, 5 authenticated write only.
  return mode === null || ![0, 2, 5].includes(mode);
}

const numberOf = (data: Data | undefined): number | null =>
  data?.kind === 'integer' || data?.kind === 'enum' ? Number(data.value) : null;
