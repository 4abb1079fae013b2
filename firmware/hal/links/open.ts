import type { Link } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { type GpioSpec, gpioLink } from './gpio.ts';
import { type PulseLineSpec, pulseLine } from './pulse-line.ts';
import { type SerialSpec, serialLink } from './serial.ts';
import { type TcpSpec, tcpLink } from './tcp.ts';

export type LinkSpec = SerialSpec | TcpSpec | GpioSpec | PulseLineSpec;

/** The real link of a specification; not opened yet. */
export function realLink(spec: LinkSpec, clock: Clock): Link {
  if (spec.kind === 'serial') return serialLink(spec, clock);
  if (spec.kind === 'tcp') return tcpLink(spec, clock);
  return spec.kind === 'gpio' ? gpioLink(spec, clock) : pulseLine(spec, clock);
}
