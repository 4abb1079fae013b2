/** A raw TCP byte stream as a link: ser2net, network optical heads, Modbus TCP. */
import { connect, type Socket } from 'node:net';
import { fault, HearthError } from '../../domain/errors.ts';
import type { Link, LinkEvents } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { closed, connected, written } from './network.ts';

export interface TcpSpec {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** Finds a peer that lost its power: no byte, no reset, only silence. */
const KEEPALIVE_MS = 15_000;

export function tcpLink(spec: TcpSpec, clock: Clock): Link {
  const name = `${spec.host}:${spec.port}`;
  let socket: Socket | null = null;
  let closing = false;

  const attach = (opened: Socket, events: LinkEvents): void => {
    opened.setNoDelay(true);
    opened.setKeepAlive(true, KEEPALIVE_MS);
    opened.on('data', (chunk: Uint8Array) => events.bytes(chunk, clock.elapsedMs()));
    opened.on('close', () => {
      if (socket === opened) socket = null;
      events.gone(closing ? null : fault('LINK_GONE', `${name}: the connection ended`));
    });
  };
  return {
    name,
    async open(events) {
      closing = false;
      const opened = connect({ host: spec.host, port: spec.port });
      let failed: Error | null = null;
      opened.on('error', (error) => {
        failed = error;
      });
      await connected(clock, name, (done) => {
        opened.once('connect', () => done());
        opened.once('close', () => done(failed ?? new Error('closed')));
      }).catch((error: unknown) => {
        opened.destroy();
        throw error;
      });
      socket = opened;
      opened.removeAllListeners('close');
      attach(opened, events);
    },
    async write(bytes) {
      const open = socket;
      if (!open) throw new HearthError('LINK_GONE', `${name}: not connected`);
      await written(clock, name, (done) => open.write(bytes, done));
    },
    // A raw stream has no way to tell the far port its speed.
    configure: async () => false,
    async close() {
      const open = socket;
      closing = true;
      if (!open) return;
      await closed(clock, name, (done) => {
        open.once('close', () => done());
        open.destroy();
      });
    },
  };
}
