/** `hearth listen`: what is on the air, for the installer. Nothing is stored; a key is tried with `hearth decode`. */
import { once } from 'node:events';
import { WirelessReceiver } from '../adapters/meters/wmbus/receiver.ts';
import { toHex } from '../codecs/bytes.ts';
import { RECEIVERS, type ReceiverName } from '../codecs/wmbus/receivers/index.ts';
import type { RadioMode } from '../codecs/wmbus/receivers/receiver.ts';
import { HearthError } from '../domain/errors.ts';
import type { HeardMeter } from '../domain/radio.ts';
import type { Clock } from '../domain/time.ts';
import { systemClock } from '../hal/clock.ts';
import { realLink } from '../hal/links/open.ts';
import { lineOf } from './line.ts';

export interface ListenOptions {
  readonly receiver: string;
  /** A serial port, or HOST:PORT. */
  readonly on: string;
  readonly mode: string;
}

const NAMES = Object.keys(RECEIVERS) as ReceiverName[];
const MODES: readonly RadioMode[] = ['S1', 'T1', 'C1', 'C1+T1'];

/** Until it is interrupted. @throws HearthError USAGE */
export async function listen(
  options: ListenOptions,
  output: { write(text: string): unknown },
  clock: Clock = systemClock(),
  open: typeof realLink = realLink,
  interrupted: Promise<unknown> = once(process, 'SIGINT'),
): Promise<void> {
  const receiver = NAMES.find((name) => name === options.receiver);
  const mode = MODES.find((name) => name === options.mode);
  if (!receiver) throw new HearthError('USAGE', `--receiver is one of ${NAMES.join(', ')}`);
  if (!mode) throw new HearthError('USAGE', `--mode is one of ${MODES.join(', ')}`);
  const link = open(lineOf(options.on, RECEIVERS[receiver].line), clock);
  const radio = new WirelessReceiver({ receiver, mode }, link, clock, (meter) => {
    output.write(`${JSON.stringify(shown(meter, radio.newestOf(meter)))}\n`);
  });
  radio.start();
  await interrupted;
  await radio.stop();
}

/** Of an encrypted telegram its bytes too, so that a key can be tried on it. */
function shown({ lastMs, refused, ...meter }: HeardMeter, sealed: Uint8Array | null): object {
  return {
    ...meter,
    heard: new Date(lastMs).toISOString(),
    ...(refused && { refused }),
    ...(sealed && { hex: toHex(sealed).toUpperCase() }),
  };
}
