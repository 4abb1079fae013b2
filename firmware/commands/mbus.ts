/** `hearth mbus PORT ADDRESS`: orders of an installer to one meter on a wired M-Bus. */
import { lineSettings, MbusBus } from '../adapters/meters/mbus/bus.ts';
import { giveOrder, type MbusOrder } from '../adapters/meters/mbus/order.ts';
import { ADDRESS, BAUD_RATES, type MbusBaud } from '../codecs/mbus/requests.ts';
import { parseMeterAddress } from '../codecs/mbus/secondary.ts';
import { HearthError } from '../domain/errors.ts';
import type { Clock } from '../domain/time.ts';
import { systemClock } from '../hal/clock.ts';
import { realLink } from '../hal/links/open.ts';
import { lineOf } from './line.ts';

export interface MbusOptions {
  /** The speed that the meter has now. */
  readonly baud: string;
  readonly setBaud?: string;
  readonly setAddress?: string;
  /** True without a subcode. */
  readonly reset?: string | true;
}

/** @throws HearthError USAGE, LINK_REFUSED, LINK_GONE, and why the meter did not do it */
export async function mbus(
  on: string,
  address: string,
  options: MbusOptions,
  output: { write(text: string): unknown },
  clock: Clock = systemClock(),
  open: typeof realLink = realLink,
): Promise<void> {
  const target = parseMeterAddress(address);
  if (!target) throw new HearthError('USAGE', `${address} is no M-Bus address`);
  const order = orderOf(options);
  const baudRate = baudOf(options.baud);
  const line = lineOf(on, lineSettings(baudRate));
  const bus = new MbusBus(open(line, clock), clock, { latencyMs: null });
  const reason = await giveOrder(bus, target, order, baudRate);
  await bus.close();
  if (reason) throw new HearthError(reason.code, reason.message);
  output.write(`${address}: done\n`);
}

function orderOf({ setBaud, setAddress, reset }: MbusOptions): MbusOrder {
  const given = [setBaud, setAddress, reset].filter((option) => option !== undefined);
  if (given.length !== 1)
    throw new HearthError('USAGE', 'one of --set-baud, --set-address and --reset is expected');
  if (setBaud !== undefined) return { kind: 'speed', baudRate: baudOf(setBaud) };
  if (setAddress !== undefined)
    return { kind: 'address', primary: numberOf('--set-address', setAddress, 1, ADDRESS.lastPrimary) };
  return { kind: 'reset', subcode: typeof reset === 'string' ? numberOf('--reset', reset, 0, 255) : null };
}

/** @throws HearthError USAGE */
export function baudOf(text: string): MbusBaud {
  const baudRate = BAUD_RATES.find((rate) => String(rate) === text);
  if (!baudRate) throw new HearthError('USAGE', `a speed is one of ${BAUD_RATES.join(', ')}`);
  return baudRate;
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const n = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(n >= least && n <= most)) throw new HearthError('USAGE', `${option} is from ${least} to ${most}`);
  return n;
}
