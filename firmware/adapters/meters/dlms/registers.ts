/** Which registers a meter has, their scalers, and their values as a telegram. */
import {
  type Answer,
  type Asked,
  obisBytes,
  readingOf,
  registersOf,
  type Scaling,
  scalerAttribute,
  scalingOf,
} from '../../../codecs/dlms/index.ts';
import { type Fault, fault } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import { formatObis } from '../../../domain/obis.ts';
import type { Reading } from '../../../domain/telegram.ts';
import type { DlmsTalk } from './talk.ts';

export interface Register extends Asked {
  readonly code: string;
  /** Null where the meter gives none: the number is then kept out. */
  readonly scaling: Scaling | null;
}

const OBJECT_LIST: Asked = { classId: 15, obis: Uint8Array.of(0, 0, 40, 0, 0, 255), attribute: 2 };
const REGISTER_CLASS = 3;

/** Energies and powers in and out, voltages, currents: for a meter that does not tell what it has. */
const USUAL = [
  '1.8.0',
  '2.8.0',
  '1.7.0',
  '2.7.0',
  '32.7.0',
  '52.7.0',
  '72.7.0',
  '31.7.0',
  '51.7.0',
  '71.7.0',
];

interface Found {
  readonly registers: readonly Register[];
  readonly faults: readonly Fault[];
  /** False when the meter could not tell for now: it is asked again. */
  readonly settled: boolean;
}

/** The registers to read with their scalers: as configured, else what the meter lists, else the usual ones. */
export async function findRegisters(talk: DlmsTalk, wanted: readonly string[]): Promise<Found> {
  const objects = wanted.length > 0 ? wanted.flatMap(configured) : await listed(talk);
  const values = objects.map((o) => ({ ...o, attribute: 2 }));
  const scalings = await scalingsOf(talk, values);
  const registers: Register[] = [];
  const faults: Fault[] = [];
  for (const [i, value] of values.entries()) {
    const { scaling, refusal } = scalings[i] ?? { scaling: null, refusal: null };
    const code = formatObis(value.obis);
    if (refusal) faults.push(accessFault(code, refusal));
    else registers.push({ ...value, code, scaling });
  }
  return { registers, faults, settled: faults.every(({ code }) => code !== 'APPLICATION_ERROR') };
}

function configured(text: string): { classId: number; obis: Uint8Array }[] {
  const [, classId = REGISTER_CLASS, code = ''] = /^(?:(\d+)\/)?(.+)$/.exec(text) ?? [];
  const obis = obisBytes(code);
  return obis ? [{ classId: Number(classId), obis }] : [];
}

async function listed(talk: DlmsTalk): Promise<readonly { classId: number; obis: Uint8Array }[]> {
  const answer = await talk.one(OBJECT_LIST);
  const found = answer.ok ? registersOf(answer.data, LIMITS.pointsPerMeter) : [];
  return found.length > 0 ? found : USUAL.flatMap((code) => configured(`1-0:${code}`));
}

/** Scaler and unit of each attribute; why the meter does not give it, where it refuses. */
export async function scalingsOf(
  talk: DlmsTalk,
  of: readonly Asked[],
): Promise<readonly { readonly scaling: Scaling | null; readonly refusal: string | null }[]> {
  const places = of.map((object) => {
    const attribute = scalerAttribute(object);
    return attribute === null ? null : { classId: object.classId, obis: object.obis, attribute };
  });
  const answers = await talk.ask(places.filter((place) => place !== null));
  let next = 0;
  return places.map((place) => {
    const answer = place ? answers[next++] : undefined;
    if (!answer) return { scaling: null, refusal: null };
    return answer.ok
      ? { scaling: scalingOf(answer.data), refusal: null }
      : { scaling: null, refusal: answer.error };
  });
}

const BARE = {
  manufacturer: '',
  is: () => true,
  exponents: { energy: null, power: null, voltage: null, current: null },
};

/** The values of one visit; what the meter refuses is a fault, the rest is read all the same. */
export function readingsOf(
  registers: readonly Register[],
  answers: readonly Answer[],
): { readonly readings: readonly Reading[]; readonly faults: readonly Fault[] } {
  const readings: Reading[] = [];
  const faults: Fault[] = [];
  for (const [i, { code, scaling }] of registers.entries()) {
    const answer = answers[i];
    if (answer?.ok) readings.push(readingOf({ code, data: answer.data, scaling }, i, BARE));
    else if (answer) faults.push(accessFault(code, answer.error));
  }
  return { readings, faults };
}

/** The result of a data access by its code. */
export function accessFault(code: string, error: string): Fault {
  const message = `${code}: the meter answers ${error}`;
  if (error === 'read-write-denied' || error === 'scope-of-access-violated')
    return fault('ACCESS_DENIED', message);
  const absent = ['object-undefined', 'object-unavailable', 'object-class-inconsistent'].includes(error);
  return fault(absent ? 'OBJECT_UNDEFINED' : 'APPLICATION_ERROR', message);
}
