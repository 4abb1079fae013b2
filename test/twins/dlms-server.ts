/** A DLMS meter on TCP or UDP of this machine; the line can be cut after so many bytes of an answer. */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { DlmsTwin, type DlmsTwinOptions } from './dlms-meter.ts';

export interface DlmsServer {
  readonly twin: DlmsTwin;
  readonly port: number;
  /** Connections so far. */
  readonly connections: () => number;
  /** Bytes to the reader so far, all connections. */
  readonly sent_bytes: () => number;
  /** The next connections end after so many bytes each. */
  cutAfter(bytes: readonly number[]): void;
  close(): Promise<void>;
}

export function dlmsTcp(options: DlmsTwinOptions): Promise<DlmsServer> {
  let socket: Socket | null = null;
  let connections = 0;
  let sent = 0;
  let cuts: number[] = [];
  const twin = new DlmsTwin(options, (bytes) => {
    sent += bytes.length;
    socket?.write(bytes);
  });
  const server = createServer((opened) => {
    socket?.destroy();
    socket = opened;
    connections += 1;
    twin.reset();
    twin.diesAfter_bytes = cuts.shift() ?? Number.POSITIVE_INFINITY;
    twin.died = () => opened.end();
    opened.setNoDelay(true);
    opened.on('data', (chunk) => {
      if (socket === opened) twin.take(chunk);
    });
    opened.on('error', () => {});
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        twin,
        port: typeof address === 'object' && address ? address.port : 0,
        connections: () => connections,
        sent_bytes: () => sent,
        cutAfter: (bytes) => {
          cuts = [...bytes];
        },
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            socket?.destroy();
          }),
      });
    });
  });
}

/** `loses`: every so many-th answer never arrives. */
export function dlmsUdp(options: DlmsTwinOptions, loses: number): Promise<DlmsServer> {
  const socket = createSocket('udp4');
  let peer: { readonly port: number; readonly address: string } | null = null;
  let sent = 0;
  let answers = 0;
  const twin = new DlmsTwin(options, (bytes) => {
    sent += bytes.length;
    answers += 1;
    if (peer && answers % loses !== 0) socket.send(bytes, peer.port, peer.address);
  });
  socket.on('message', (bytes, from) => {
    peer = from;
    twin.take(bytes);
  });
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () =>
      resolve({
        twin,
        port: socket.address().port,
        connections: () => 1,
        sent_bytes: () => sent,
        cutAfter: () => {},
        close: () => new Promise((done) => socket.close(() => done())),
      }),
    );
  });
}
