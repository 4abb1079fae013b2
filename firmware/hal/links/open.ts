import type { Link } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { type SerialSpec, serialLink } from './serial.ts';
import { type TcpSpec, tcpLink } from './tcp.ts';

export type LinkSpec = SerialSpec | TcpSpec;

/** The real link of a specification; not opened yet. */
export function realLink(spec: LinkSpec, clock: Clock): Link {
  return spec.kind === 'serial' ? serialLink(spec, clock) : tcpLink(spec, clock);
}
