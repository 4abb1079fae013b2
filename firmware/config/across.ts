/**
 * What no single field can state: names that are taken, lines that cannot be shared. Read from the file as it
 * stands, so that these mistakes are told together with those of the schema.
 */
import type { Profile } from '../adapters/profiles/schema.ts';
import { BUS_PROTOCOLS } from '../adapters/registry.ts';
import { parseMeterAddress } from '../codecs/mbus/secondary.ts';
import type { Mistake } from './mistake.ts';
import { moneyRules } from './money.ts';
import { hasProgram, programRules } from './program-rules.ts';
import { storeRules, storesEnergy } from './store-rules.ts';

interface Row {
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An identification number, with the letters of the maker before it where two meters share one. */
const WIRELESS_ADDRESS = /^([A-Z]{3} )?[0-9A-F]{8}$/;

export function acrossRows(json: unknown, profiles: ReadonlyMap<string, Profile>): Mistake[] {
  const meters = rowsOf(json, 'meters');
  const devices = rowsOf(json, 'devices');
  return [
    ...takenNames([...meters, ...devices]),
    ...sharedLines(meters, devices),
    ...secondGridMeter(meters),
    ...silentBetweenReadings(json, meters),
    ...meters.flatMap((meter) =>
      (METER_RULES[String(meter.fields.protocol)] ?? []).flatMap((rule) => rule(meter, meters)),
    ),
    ...meters.flatMap(linkOfItsKind),
    ...devices.flatMap((device) => unknownProfile(device, profiles)),
    ...sameUnit(devices, profiles),
    ...devices.flatMap(cheapWithoutDeadline),
    ...devices.flatMap((device) => storeRules(device, profiles)),
    ...devices.flatMap((device) => programRules(device, profiles)),
    ...failsafeWithoutOperator(json),
    ...moneyOf(json),
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
  if (typeof link.line === 'number') return `${link.chip ?? 'gpiochip0'} line ${link.line}`;
  return typeof link.host === 'string' ? `${link.host}:${link.port}` : null;
}

function secondGridMeter(meters: readonly Row[]): Mistake[] {
  const grid = meters.filter(({ fields }) => (fields.role ?? 'grid') === 'grid');
  return grid.slice(1).map(({ path }) => ({
    path: `${path}.role`,
    message: `expected "sub": ${grid[0]?.path} is the meter at the grid connection`,
  }));
}

/** Protocols in which the meter speaks when it is asked, and not before. */
const ASKED: ReadonlySet<unknown> = new Set(['iec62056-21', 'dlms', 'mbus']);
const STALE_AFTER_MS = 30_000;

/** The meter at the connection must not count as silent between two readings. */
function silentBetweenReadings(json: unknown, meters: readonly Row[]): Mistake[] {
  const site = isRecord(json) && isRecord(json.site) ? json.site : {};
  const staleAfterMs = typeof site.staleAfterMs === 'number' ? site.staleAfterMs : STALE_AFTER_MS;
  return meters.flatMap(({ path, fields: { protocol, role = 'grid', intervalMs } }) =>
    role !== 'grid' ||
    !ASKED.has(protocol) ||
    typeof intervalMs !== 'number' ||
    2 * intervalMs <= staleAfterMs
      ? []
      : {
          path: `${path}.intervalMs`,
          message: `expected at most half of site.staleAfterMs (${staleAfterMs}), or the meter counts as silent between two readings; got ${intervalMs}`,
        },
  );
}

type MeterRule = (meter: Row, meters: readonly Row[]) => Mistake[];

const fits = (row: Row, key: string, isRight: boolean, message: string): Mistake[] =>
  isRight ? [] : [{ path: `${row.path}.${key}`, message }];

/** What a protocol needs to know of its meter. */
const METER_RULES: Readonly<Record<string, readonly MeterRule[]>> = {
  wmbus: [
    (row) =>
      fits(
        row,
        'address',
        WIRELESS_ADDRESS.test(String(row.fields.address)),
        'expected the eight digits on the meter, such as 12345678 or KAM 12345678',
      ),
    (row) =>
      fits(row, 'receiver', row.fields.receiver !== undefined, 'expected the make of the radio receiver'),
  ],
  mbus: [
    (row) =>
      fits(
        row,
        'address',
        typeof row.fields.address === 'string' && parseMeterAddress(row.fields.address) !== null,
        'expected 0 to 250, or eight digits such as 12345678 or 12345678-KAM-1b-04',
      ),
  ],
  dlms: [
    (row) => {
      const {
        mechanism = 'none',
        protection = 'none',
        password,
      } = isRecord(row.fields.dlms) ? row.fields.dlms : {};
      const ciphers = mechanism === 'gmac' || protection !== 'none';
      const wanted = `expected a reference to the key: ${mechanism === 'gmac' ? 'gmac' : 'protection'} needs both`;
      return [
        ...fits(
          row,
          'dlms.password',
          mechanism !== 'low' || password !== undefined,
          'expected a password for low',
        ),
        ...fits(row, 'key', !ciphers || row.fields.key !== undefined, wanted),
        ...fits(row, 'authKey', !ciphers || row.fields.authKey !== undefined, wanted),
      ];
    },
  ],
  pulses: [
    (row) => fits(row, 'pulses', row.fields.pulses !== undefined, 'expected what the pulses count'),
    (row, meters) => {
      const register = isRecord(row.fields.pulses) ? row.fields.pulses.register : undefined;
      const isOther = meters.some(({ path, fields }) => path !== row.path && fields.id === register);
      return fits(row, 'pulses.register', register === undefined || isOther, "expected another meter's id");
    },
  ],
};

/** Links that carry one protocol only, and what that protocol can do with no other. */
const ONLY_FOR: Readonly<Record<string, string>> = {
  gpio: 'pulses',
  'pulse-line': 'pulses',
  udp: 'dlms',
};

function linkOfItsKind({ path, fields: { link, protocol } }: Row): Mistake[] {
  if (!isRecord(link) || typeof link.kind !== 'string' || typeof protocol !== 'string') return [];
  const only = ONLY_FOR[link.kind];
  if (only !== undefined && only !== protocol)
    return [
      { path: `${path}.link.kind`, message: `expected serial or tcp: ${link.kind} is for ${only} alone` },
    ];
  if (protocol === 'pulses' && only === undefined)
    return [{ path: `${path}.link.kind`, message: 'expected gpio or pulse-line for pulses' }];
  return [];
}

function unknownProfile(
  { path, fields: { profile } }: Row,
  profiles: ReadonlyMap<string, Profile>,
): Mistake[] {
  if (typeof profile !== 'string' || profiles.has(profile)) return [];
  return [{ path: `${path}.profile`, message: `expected one of ${[...profiles.keys()].join(', ')}` }];
}

/**
 * Two devices of one address would answer each other's requests. Only a SunSpec product may be several: an inverter and
 * the battery on it, each steered by a model of its own.
 */
function sameUnit(devices: readonly Row[], profiles: ReadonlyMap<string, Profile>): Mistake[] {
  const users = new Map<string, { readonly path: string; readonly steeredBy: number | undefined }[]>();
  return devices.flatMap(({ path, fields: { link, unitId = 1, profile } }) => {
    const place = placeOf(link);
    if (place === null) return [];
    const unit = `${place} ${unitId}`;
    const steeredBy = profiles.get(String(profile))?.control.register.model?.[0];
    const others = users.get(unit) ?? [];
    users.set(unit, [...others, { path, steeredBy }]);
    const first = others.find(
      (other) => steeredBy === undefined || other.steeredBy === undefined || other.steeredBy === steeredBy,
    );
    return first === undefined
      ? []
      : {
          path: `${path}.unitId`,
          message: `expected a unit of its own, ${unitId} on ${place} is ${first.path}`,
        };
  });
}

/** Cheaper hours can be waited for only as long as it is known by when the energy is wanted, and how much; or what is stored. */
function cheapWithoutDeadline(device: Row): Mistake[] {
  const { mode, deadline } = device.fields;
  return fits(
    device,
    'deadline',
    mode !== 'cheap' ||
      storesEnergy(device) ||
      hasProgram(device) ||
      (deadline !== undefined && deadline !== null),
    'expected {"time": "HH:MM", "energy_Wh": number} with mode "cheap": without it nobody knows how long to wait; ' +
      'else choose mode "solar" or "always"',
  );
}

/** It holds when the operator falls silent: without one it would hold for good or never. */
function failsafeWithoutOperator(json: unknown): Mistake[] {
  if (!isRecord(json) || !isRecord(json.failsafe) || isRecord(json.mqtt)) return [];
  return [
    {
      path: 'failsafe',
      message: 'expected "mqtt" beside it: it is for when the operator there falls silent',
    },
  ];
}

function moneyOf(json: unknown): Mistake[] {
  const { site, mqtt, devices } = isRecord(json) ? json : {};
  const currency = isRecord(site) ? site.currency : null;
  const programs = isRecord(mqtt) ? mqtt.programs : null;
  return [
    ...moneyRules(site, 'site', currency),
    ...moneyRules(programs, 'mqtt.programs', currency),
    ...moneyRules(devices, 'devices', currency),
  ];
}
