/** What carries a twin's bytes: a TCP server on loopback, or a pseudo terminal. */
import { spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import type { ModbusTwin } from './modbus-device.ts';

export interface TcpCarrier {
  readonly port: number;
  /** To every client that is connected. */
  write(bytes: Uint8Array): void;
  /** Ends all connections, as a device that is restarted does; the port goes on listening. */
  reset(): void;
  close(): Promise<void>;
}

export function tcpCarrier(
  onBytes: (chunk: Uint8Array, reply: (bytes: Uint8Array) => void) => void,
  port = 0,
): Promise<TcpCarrier> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('data', (chunk) => onBytes(chunk, (bytes) => socket.write(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const reset = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : 0,
        write: (bytes) => {
          for (const socket of sockets) socket.write(bytes);
        },
        reset,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            reset();
          }),
      });
    });
  });
}

export const modbusTcp = (twin: ModbusTwin, port = 0): Promise<TcpCarrier> =>
  tcpCarrier((chunk, reply) => {
    for (const answer of twin.tcp(chunk)) reply(answer);
  }, port);

export interface PtyCarrier {
  /** The device file that the gateway opens. */
  readonly path: string;
  write(bytes: Uint8Array): void;
  onBytes(listener: (chunk: Uint8Array) => void): void;
  /** The speed that the gateway has set. */
  readonly baudRate: () => number;
  close(): Promise<void>;
}

export function ptyCarrier(): Promise<PtyCarrier> {
  const script = path.join(import.meta.dirname, 'serial_line.py');
  const child = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const listeners: ((chunk: Uint8Array) => void)[] = [];
  let baudRate = 0;
  let held = Buffer.alloc(0);
  child.stdin.on('error', () => {});
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the serial line ended with ${code}`)));
    const said = (kind: string, data: Buffer): void => {
      if (kind === 'S') baudRate = Number(data.toString());
      if (kind === 'D') for (const listener of listeners) listener(data);
      if (kind === 'P') resolve(carrier(data.toString()));
    };
    child.stdout.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 3 && held.length >= 3 + held.readUInt16BE(1)) {
        const length = held.readUInt16BE(1);
        const [kind, data] = [held.toString('latin1', 0, 1), held.subarray(3, 3 + length)];
        held = held.subarray(3 + length);
        said(kind, data);
      }
    });
  });

  function carrier(name: string): PtyCarrier {
    return {
      path: name,
      write: (bytes) => void child.stdin.write(bytes),
      onBytes: (listener) => void listeners.push(listener),
      baudRate: () => baudRate,
      close: () =>
        new Promise((done) => {
          child.once('exit', () => done());
          child.kill('SIGKILL');
        }),
    };
  }
}
