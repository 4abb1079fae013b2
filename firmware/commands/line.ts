/** The line that a person names on the command line: a serial port, or HOST:PORT of a converter. */
import { HearthError } from '../domain/errors.ts';
import type { LinkSpec } from '../hal/links/open.ts';
import type { SerialSpec } from '../hal/links/serial.ts';

/** Null for a serial port. @throws HearthError USAGE for a port number that is none. */
export function tcpOf(on: string): Extract<LinkSpec, { kind: 'tcp' }> | null {
  const m = /^([^/:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(on);
  const port = Number(m?.[2]);
  if (!m) return null;
  if (port < 1 || port > 65_535) throw new HearthError('USAGE', `${on}: expected a port from 1 to 65535`);
  return { kind: 'tcp', host: (m[1] ?? '').replace(/[[\]]/g, ''), port };
}

export const lineOf = (on: string, settings: Omit<SerialSpec, 'kind' | 'path'>): LinkSpec =>
  tcpOf(on) ?? { kind: 'serial', path: on, ...settings };
