/** `hearth probe PORT --mbus`: finds the meters of a wired bus, and prints them as rows of the configuration. */
import { lineSettings, MbusBus } from '../adapters/meters/mbus/bus.ts';
import { MBUS_DEFAULTS } from '../adapters/meters/mbus/index.ts';
import { type FoundOnBus, type SearchBusOptions, searchBus } from '../adapters/meters/mbus/search.ts';
import { parseMeterAddress } from '../codecs/mbus/secondary.ts';
import { HearthError } from '../domain/errors.ts';
import type { Clock } from '../domain/time.ts';
import { systemClock } from '../hal/clock.ts';
import { type LinkSpec, realLink } from '../hal/links/open.ts';
import { lineOf } from './line.ts';
import { baudOf } from './mbus.ts';

export interface MbusProbeOptions {
  /** A serial port, or HOST:PORT. */
  readonly on: string;
  /** Separated by commas. */
  readonly baud?: string;
  readonly by: string;
  readonly mask?: string;
}

interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

const WAYS = ['secondary', 'primary', 'both'] as const;

/** @throws HearthError USAGE, LINK_REFUSED, LINK_GONE */
export async function probeMbus(
  options: MbusProbeOptions,
  { stdout, stderr }: Output,
  clock: Clock = systemClock(),
  open: typeof realLink = realLink,
): Promise<void> {
  const wanted = searchOptions(options);
  const spec = lineOf(options.on, lineSettings(MBUS_DEFAULTS.baudRate));
  const bus = new MbusBus(open(spec, clock), clock, { latencyMs: null });
  const { meters, requests } = await searchBus(bus, {
    ...wanted,
    found: (meter) => void stderr.write(`${sentence(meter)}\n`),
  });
  await bus.close();
  stderr.write(`${meters.length} found with ${requests} requests\n`);
  const rows = meters.filter(({ remark }) => remark === null).map((meter) => rowOf(meter, spec));
  stdout.write(`${JSON.stringify({ meters: rows }, null, 2)}\n`);
}

function searchOptions({ baud, by, mask }: MbusProbeOptions): SearchBusOptions {
  const way = WAYS.find((name) => name === by);
  if (!way) throw new HearthError('USAGE', `--by is one of ${WAYS.join(', ')}`);
  const baudRates = baud?.split(',').map(baudOf);
  const target = mask === undefined ? null : parseMeterAddress(mask);
  if (mask !== undefined && !(target && 'secondary' in target))
    throw new HearthError('USAGE', '--mask is eight digits, F for any, as 12FFFFFF');
  return {
    by: way,
    ...(baudRates && { baudRates }),
    ...(target && 'secondary' in target && { mask: target.secondary }),
  };
}

function sentence({ address, primary, baudRate, identity, remark }: FoundOnBus): string {
  const who = identity?.medium ? `${identity.medium}, ` : '';
  const where = primary === null || String(primary) === address ? '' : `primary address ${primary}, `;
  return `${address}: ${who}${where}${baudRate} baud${remark === null ? '' : `; ${remark}`}`;
}

function rowOf({ address, identity, baudRate }: FoundOnBus, link: LinkSpec): object {
  const number = identity?.id ?? address;
  return {
    id: `mbus-${number.toLowerCase()}`,
    name: identity?.medium ? `${identity.medium} ${number}` : `M-Bus ${number}`,
    protocol: 'mbus',
    role: 'sub',
    address,
    link,
    mbus: { baudRate },
  };
}
