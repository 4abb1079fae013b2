/** What a household meter answers over DLMS: its registers, its clock and its load profile, on the clock it is given. */
import { encodeLength } from '../../firmware/codecs/bytes.ts';
import { encodeDateTime } from '../../firmware/codecs/dlms/date-time.ts';
import {
  array,
  concat,
  enumerated,
  int8,
  NULL_DATA,
  obisBytes,
  octets,
  scalerUnit,
  structure,
  uint8,
  uint16,
  uint32,
  word32,
} from '../../firmware/codecs/dlms/encode.ts';
import { localMs } from '../../firmware/domain/calendar.ts';
import { isSummer } from '../../firmware/domain/meter-time.ts';
import type { Objects } from './dlms-meter.ts';

export interface HomeOptions {
  readonly now: () => number;
  readonly timeZone: string;
  readonly name?: string;
  /** How the buffer is written: in full, with null-data for what is as before, or as a compact array. */
  readonly encoding?: 'full' | 'nulls' | 'compact';
  readonly selects?: 'range' | 'entry' | 'nothing';
  readonly newestFirst?: boolean;
  /** Rows that the meter keeps. */
  readonly keeps?: number;
  /** Ends of periods that the meter slept through. */
  readonly lacks?: ReadonlySet<number>;
  readonly listed?: boolean;
  /** What the meter's makers put into the deviation. */
  readonly deviation?: 'right' | 'inverted' | 'none';
}

export const PERIOD_MS = 900_000;
const DAY_MS = 86_400_000;
export const PROFILE = '1-0:99.1.0';
const PROFILE_KEY = `7/${PROFILE}*255`;

/** The register at an instant, in Wh: a step every quarter hour. */
export const importAt = (atMs: number): number => 1_000_000 + Math.floor((atMs % 1e11) / PERIOD_MS) * 25;
const exportAt = (): number => 5_000;

const name = (code: string): Uint8Array => octets(obisBytes(code) ?? new Uint8Array(6));

export function homeObjects(options: HomeOptions): Objects {
  const { now, timeZone } = options;
  const registers: readonly (readonly [string, () => Uint8Array, number, number])[] = [
    ['1-0:1.8.0', () => uint32(Math.floor(importAt(now()) / 10)), 1, 30],
    ['1-0:2.8.0', () => uint32(exportAt()), 0, 30],
    ['1-0:1.7.0', () => uint32(1234), 0, 27],
    ['1-0:32.7.0', () => uint16(2314), -1, 35],
    ['1-0:31.7.0', () => uint16(540), -2, 33],
  ];
  const objects: Objects = new Map<string, () => Uint8Array | number>([
    ['1/0-0:42.0.0*255/2', () => octets(Buffer.from(options.name ?? 'HRT0000000000042'))],
    ['8/0-0:1.0.0*255/2', () => octets(stampOf(now(), options))],
    ['1/0-0:43.1.0*255/2', () => uint32(70_000)],
    [`${PROFILE_KEY}/3`, () => array(...COLUMNS.map(captureObject))],
    [`${PROFILE_KEY}/4`, () => uint32(PERIOD_MS / 1000)],
    [`${PROFILE_KEY}/5`, () => enumerated(options.newestFirst ? 2 : 1)],
    [`${PROFILE_KEY}/7`, () => uint32(rowsOf(options).length)],
  ]);
  for (const [code, value, scaler, unit] of registers) {
    objects.set(`3/${code}*255/2`, value);
    objects.set(`3/${code}*255/3`, () => scalerUnit(scaler, unit));
  }
  if (options.listed !== false)
    objects.set('15/0-0:40.0.0*255/2', () =>
      array(
        ...[
          ...registers.map(([code]) => [3, code] as const),
          [7, PROFILE] as const,
          [1, '0-0:42.0.0'] as const,
        ].map(([classId, code]) =>
          structure(uint16(classId), uint8(0), name(code), structure(array(access(1), access(2)), array())),
        ),
        // Not for this client.
        structure(uint16(3), uint8(0), name('1-0:9.8.0'), structure(array(access(2, 0)), array())),
      ),
    );
  objects.set(`${PROFILE_KEY}/2`, (selection) => {
    const all = rowsOf(options);
    if (selection?.range && options.selects !== 'entry') {
      const [from = 0, to = 0] = selection.range.map((bytes) => localOf(bytes));
      const near = all.filter((at) => at > from - DAY_MS && at < to + DAY_MS);
      const within = (local: number): boolean => local >= from && local <= to;
      return written(
        near.filter((at) => within(localMs(at, timeZone))),
        options,
      );
    }
    if (selection?.entries && options.selects !== 'nothing') {
      const ordered = options.newestFirst ? all.toReversed() : all;
      return written(ordered.slice(selection.entries[0] - 1, selection.entries[1] || undefined), options);
    }
    return selection ? 250 : written(options.newestFirst ? all.toReversed() : all, options);
  });
  return objects;
}

const access = (attribute: number, mode = 1): Uint8Array =>
  structure(int8(attribute), enumerated(mode), NULL_DATA);

const COLUMNS = [
  [8, '0-0:1.0.0', 2],
  [1, '0-0:96.10.1', 2],
  [3, '1-0:1.8.0', 2],
  [3, '1-0:2.8.0', 2],
] as const;

const captureObject = ([classId, code, attribute]: (typeof COLUMNS)[number]): Uint8Array =>
  structure(uint16(classId), name(code), int8(attribute), uint16(0));

/** Ends of the periods that the meter has. */
function rowsOf({ now, keeps = 4000, lacks }: HomeOptions): number[] {
  const last = Math.floor(now() / PERIOD_MS) * PERIOD_MS;
  const ends = Array.from({ length: keeps }, (_, i) => last - (keeps - 1 - i) * PERIOD_MS);
  return ends.filter((at) => !lacks?.has(at));
}

const valuesOf = (at: number): number[] => [0, Math.floor(importAt(at) / 10), exportAt()];

function written(rows: readonly number[], options: HomeOptions): Uint8Array {
  const { encoding = 'full' } = options;
  if (encoding === 'compact') {
    // Type description: structure of an octet-string, an uint8 and two uint32.
    const contents = rows.map((at) => {
      const [status = 0, ...energies] = valuesOf(at);
      return concat(
        Uint8Array.of(12),
        stampOf(at, options),
        Uint8Array.from([status, ...energies.flatMap(word32)]),
      );
    });
    const body = concat(...contents);
    return concat(Uint8Array.of(0x13, 2, 4, 9, 0x11, 6, 6), encodeLength(body.length), body);
  }
  const items = rows.map((at, i) => {
    const [status = 0, ...energies] = valuesOf(at);
    const before = rows[i - 1];
    if (encoding === 'full' || before === undefined)
      return structure(octets(stampOf(at, options)), uint8(status), ...energies.map(uint32));
    const regular = at - before === PERIOD_MS;
    const [, ...last] = valuesOf(before);
    return structure(
      regular ? NULL_DATA : octets(stampOf(at, options)),
      NULL_DATA,
      ...energies.map((value, k) => (value === last[k] ? NULL_DATA : uint32(value))),
    );
  });
  return array(...items);
}

function stampOf(at: number, { timeZone, deviation = 'right' }: HomeOptions): Uint8Array {
  const local = localMs(at, timeZone);
  const minutes = Math.round((at - local) / 60_000);
  return encodeDateTime({
    local: new Date(local).toISOString().slice(0, 19),
    deviation_min: deviation === 'none' ? null : deviation === 'right' ? minutes : -minutes,
    status: deviation === 'none' ? null : isSummer(at, timeZone) ? 0x80 : 0,
  });
}

/** The local time of a date-time, as milliseconds as if it were UTC. */
function localOf(bytes: Uint8Array): number {
  const [high = 0, low = 0, month = 1, day = 1, , hour = 0, minute = 0, second = 0] = bytes;
  return Date.UTC(high * 256 + low, month - 1, day, hour, minute, second);
}
