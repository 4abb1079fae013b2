/** Datagrams to and from one host as a link (DLMS over UDP); each keeps its bounds, any may be lost. */
import { createSocket, type Socket } from 'node:dgram';
import { fault, HearthError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { closed, connected, written } from './network.ts';

export interface UdpSpec {
  readonly kind: 'udp';
  readonly host: string;
  readonly port: number;
}

export function udpLink(spec: UdpSpec, clock: Clock): Link {
  const name = `${spec.host}:${spec.port}/udp`;
  let socket: Socket | null = null;
  return {
    name,
    async open(events) {
      const opened = createSocket(spec.host.includes(':') ? 'udp6' : 'udp4');
      let failed: (error: Error) => void = () => {};
      opened.on('error', (error) => {
        failed(error);
        if (socket !== opened) return;
        // An ICMP refusal: nobody listens there any more.
        socket = null;
        opened.close();
        events.gone(fault('LINK_GONE', `${name}: ${error.message}`));
      });
      opened.on('message', (bytes) => {
        if (socket === opened) events.bytes(bytes, clock.elapsedMs());
      });
      opened.on('close', () => {
        if (socket !== opened) return;
        socket = null;
        events.gone(null);
      });
      await connected(clock, name, (done) => {
        failed = done;
        // A connected socket takes datagrams of this one peer only.
        opened.connect(spec.port, spec.host, done);
      }).catch((error: unknown) => {
        opened.close();
        throw error;
      });
      socket = opened;
    },
    async write(bytes) {
      const open = socket;
      if (!open) throw new HearthError('LINK_GONE', `${name}: not open`);
      await written(clock, name, (done) => open.send(bytes, done));
    },
    configure: async () => false,
    async close() {
      const open = socket;
      if (!open) return;
      await closed(clock, name, (done) => {
        open.once('close', () => done());
        open.close();
      });
    },
  };
}
