import type { Link } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { type SerialSpec, serialLink } from './serial.ts';
import { type TcpSpec, tcpLink } from './tcp.ts';
import { type UdpSpec, udpLink } from './udp.ts';

export type LinkSpec = SerialSpec | TcpSpec | UdpSpec;

/** The real link of a specification; not opened yet. */
export function realLink(spec: LinkSpec, clock: Clock): Link {
  if (spec.kind === 'udp') return udpLink(spec, clock);
  return spec.kind === 'serial' ? serialLink(spec, clock) : tcpLink(spec, clock);
}
