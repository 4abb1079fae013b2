/**
 * Brokers of an operator: aedes, embedded, which speaks MQTT 3.1.1 only, so that the fall-back is used every day; and
 * Mosquitto, a real one with MQTT 5, where it is installed.
 */
import { spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';
import type { Certificate } from './certificates.ts';

export interface Broker {
  readonly port: number;
  /** Retained unless said otherwise, with QoS 1. */
  publish(topic: string, payload: Uint8Array, options?: { readonly retain?: boolean }): Promise<void>;
  close(): Promise<void>;
}

interface BrokerTls {
  readonly server: Certificate;
  /** PEM of the authority whose clients may come in; none are asked for a certificate when absent. */
  readonly clients?: string;
}

interface BrokerOptions {
  readonly port?: number;
  readonly tls?: BrokerTls;
}

/** MQTT 3.1.1. */
export async function demoBroker(port = 0, { tls }: BrokerOptions = {}): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const server: Server = tls
    ? createTlsServer(
        { ...tls.server, ...(tls.clients && { ca: tls.clients, requestCert: true }) },
        aedes.handle,
      )
    : createServer(aedes.handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    publish: (topic, payload, { retain = true } = {}) =>
      new Promise((resolve, reject) => {
        aedes.publish(
          { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain, dup: false },
          (error) => (error ? reject(error) : resolve()),
        );
      }),
    close: () =>
      new Promise((resolve) => {
        aedes.close(() => server.close(() => resolve()));
      }),
  };
}

/** Where Mosquitto is, null when it is not installed. */
export const MOSQUITTO: string | null =
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
    .map((dir) => path.join(dir, 'mosquitto'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }) ?? null;

export interface Mosquitto extends Broker {
  /** Ends the process as a restart does, or as a power cut, and starts it again on the same port and files. */
  restart(how?: NodeJS.Signals): Promise<void>;
  stop(how?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

export interface MosquittoOptions extends BrokerOptions {
  /** Name and password of the gateway; without them everybody may come in. */
  readonly user?: readonly [name: string, password: string];
  readonly lines?: readonly string[];
}

/** MQTT 5, sessions and retained messages on disk. The operator publishes on a second port, in clear. */
export async function mosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  if (!MOSQUITTO) throw new Error('Mosquitto is not installed');
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-mosquitto-'));
  const port = options.port ?? (await freePort());
  const operatorPort = await freePort();
  const file = path.join(dir, 'mosquitto.conf');
  writeFileSync(file, configOf(dir, port, operatorPort, options));
  let child: ReturnType<typeof spawn> | null = null;
  let operator: MqttClient | null = null;
  const start = async (): Promise<void> => {
    child = spawn(MOSQUITTO ?? '', ['-c', file], { stdio: 'ignore' });
    await Promise.all([untilOpen(port), untilOpen(operatorPort)]);
    operator = await mqtt.connectAsync(`mqtt://127.0.0.1:${operatorPort}`, { protocolVersion: 5 });
    operator.on('error', () => {});
  };
  const stop = async (how: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    await operator?.endAsync(true);
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill(how);
    await ended;
  };
  await start();
  return {
    port,
    start,
    stop,
    publish: async (topic, payload, { retain = true } = {}) => {
      await operator?.publishAsync(topic, Buffer.from(payload), { qos: 1, retain });
    },
    async restart(how) {
      await stop(how);
      await start();
    },
    async close() {
      await stop('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function configOf(dir: string, port: number, operatorPort: number, options: MosquittoOptions): string {
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const { tls, user, lines = [] } = options;
  return [
    'per_listener_settings true',
    'persistence true',
    `persistence_location ${dir}/`,
    'autosave_interval 1',
    'autosave_on_changes true',
    'set_tcp_nodelay true',
    // Started by root it would become another user, who may not read the directory.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...lines,
    `listener ${operatorPort} 127.0.0.1`,
    'allow_anonymous true',
    `listener ${port} 127.0.0.1`,
    ...(tls
      ? [
          `certfile ${write('server.pem', tls.server.cert)}`,
          `keyfile ${write('server.key', tls.server.key)}`,
          ...(tls.clients ? [`cafile ${write('clients.pem', tls.clients)}`, 'require_certificate true'] : []),
        ]
      : []),
    ...(user
      ? ['allow_anonymous false', `password_file ${write('users', passwordLine(user))}`]
      : ['allow_anonymous true']),
  ].join('\n');
}

/** Mosquitto's form of a salted PBKDF2 hash: `$7$iterations$salt$hash`. */
function passwordLine([name, password]: readonly [string, string]): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `${name}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function untilOpen(port: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket: Socket = dial(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no broker on port ${port}`);
}
