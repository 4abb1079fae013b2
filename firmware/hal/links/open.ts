import type { Link } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { type GpioSpec, gpioLink } from './gpio.ts';
import { type PulseLineSpec, pulseLine } from './pulse-line.ts';
import { type SerialSpec, serialLink } from './serial.ts';
import { type TcpSpec, tcpLink } from './tcp.ts';
import { type UdpSpec, udpLink } from './udp.ts';

export type LinkSpec = SerialSpec | TcpSpec | UdpSpec | GpioSpec | PulseLineSpec;

/** The real link of a specification; not opened yet. */
export function realLink(spec: LinkSpec, clock: Clock): Link {
  switch (spec.kind) {
    case 'serial':
      return serialLink(spec, clock);
    case 'tcp':
      return tcpLink(spec, clock);
    case 'udp':
      return udpLink(spec, clock);
    case 'gpio':
      return gpioLink(spec, clock);
    case 'pulse-line':
      return pulseLine(spec, clock);
  }
}
