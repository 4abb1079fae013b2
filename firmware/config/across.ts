/**
 * What no single field can state: names that are taken, lines that cannot be shared. Read from the file as it
 * stands, so that these mistakes are told together with those of the schema.
 */
import { BUS_PROTOCOLS } from '../adapters/registry.ts';
import type { Mistake } from './mistake.ts';

interface Row {
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An identification number, with the letters of the maker before it where two meters share one. */
const WIRELESS_ADDRESS = /^([A-Z]{3} )?[0-9A-F]{8}$/;

export function acrossRows(json: unknown, profiles: ReadonlySet<string>): Mistake[] {
  const meters = rowsOf(json, 'meters');
  const devices = rowsOf(json, 'devices');
  return [
    ...takenNames([...meters, ...devices]),
    ...sharedLines(meters, devices),
    ...secondGridMeter(meters),
    ...meters.flatMap(wireless),
    ...devices.flatMap((device) => unknownProfile(device, profiles)),
  ];
}

function rowsOf(json: unknown, list: string): Row[] {
  const rows = isRecord(json) ? json[list] : null;
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((fields: unknown, index) =>
    isRecord(fields) ? { path: `${list}[${index}]`, fields } : [],
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function takenNames(rows: readonly Row[]): Mistake[] {
  const owner = new Map<unknown, string>();
  return rows.flatMap(({ path, fields: { id } }) => {
    if (typeof id !== 'string') return [];
    const first = owner.get(id);
    if (first === undefined) owner.set(id, path);
    return first === undefined
      ? []
      : { path: `${path}.id`, message: `expected a name of its own, "${id}" is ${first}` };
  });
}

/** One line, one reader: only the meters of a bus, and the devices of a Modbus line, share theirs. */
function sharedLines(meters: readonly Row[], devices: readonly Row[]): Mistake[] {
  const users = new Map<string, { readonly path: string; readonly use: string }>();
  const useOf = ({ path, fields: { protocol } }: Row): string =>
    typeof protocol === 'string' && BUS_PROTOCOLS.has(protocol) ? protocol : path;
  return [
    ...meters.map((row) => ({ row, use: useOf(row) })),
    ...devices.map((row) => ({ row, use: 'modbus' })),
  ].flatMap(({ row: { path, fields }, use }) => {
    const place = placeOf(fields.link);
    if (place === null) return [];
    const first = users.get(place);
    if (first === undefined) users.set(place, { path, use });
    return first === undefined || first.use === use
      ? []
      : { path: `${path}.link`, message: `expected a line of its own, ${place} is taken by ${first.path}` };
  });
}

function placeOf(link: unknown): string | null {
  if (!isRecord(link)) return null;
  if (typeof link.path === 'string') return link.path;
  return typeof link.host === 'string' ? `${link.host}:${link.port}` : null;
}

function secondGridMeter(meters: readonly Row[]): Mistake[] {
  const grid = meters.filter(({ fields }) => (fields.role ?? 'grid') === 'grid');
  return grid.slice(1).map(({ path }) => ({
    path: `${path}.role`,
    message: `expected "sub": ${grid[0]?.path} is the meter at the grid connection`,
  }));
}

function wireless({ path, fields: { protocol, address, receiver } }: Row): Mistake[] {
  if (protocol !== 'wmbus') return [];
  const known = typeof address === 'string' && WIRELESS_ADDRESS.test(address);
  return [
    ...(known
      ? []
      : [
          {
            path: `${path}.address`,
            message: 'expected the eight digits on the meter, such as 12345678 or KAM 12345678',
          },
        ]),
    ...(receiver === undefined
      ? [{ path: `${path}.receiver`, message: 'expected the make of the radio receiver' }]
      : []),
  ];
}

function unknownProfile({ path, fields: { profile } }: Row, profiles: ReadonlySet<string>): Mistake[] {
  if (typeof profile !== 'string' || profiles.has(profile)) return [];
  return [{ path: `${path}.profile`, message: `expected one of ${[...profiles].join(', ')}` }];
}
