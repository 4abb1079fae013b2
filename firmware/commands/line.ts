/** The line that a person names on the command line. */
import type { LinkSpec } from '../hal/links/open.ts';
import type { SerialSpec } from '../hal/links/serial.ts';

/** A serial port (`/dev/ttyUSB0`), or `HOST:PORT` of a converter. */
export function lineOf(on: string, settings: Omit<SerialSpec, 'kind' | 'path'>): LinkSpec {
  const tcp = /^([^/:]+):(\d{1,5})$/.exec(on);
  if (tcp) return { kind: 'tcp', host: tcp[1] ?? '', port: Number(tcp[2]) };
  return { kind: 'serial', path: on, ...settings };
}
