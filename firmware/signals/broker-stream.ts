/** The bytes between us and the broker: TCP or TLS, with what is too long sieved out. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { HearthError } from '../domain/errors.ts';
import { PacketSieve, type Skipped } from './packet-sieve.ts';

export interface BrokerAddress {
  /** `mqtts://…` in the field; `mqtt://` only inside a home or a test. */
  readonly url: string;
  /** PEM. Without `ca` the authorities that come with Node are trusted. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface StreamEvents {
  /** TCP stands and, where asked for, TLS with a certificate that we trust. */
  established(): void;
  skipped(packet: Skipped): void;
}

export class BrokerStream extends Duplex {
  private readonly wire: Socket;
  private readonly sieve: PacketSieve;

  constructor(address: BrokerAddress, version: 4 | 5, events: StreamEvents) {
    super();
    this.sieve = new PacketSieve(version, events.skipped);
    this.wire = dial(address, events.established);
    this.wire.setNoDelay(true);
    this.wire.on('data', (chunk: Buffer) => this.sift(chunk));
    this.wire.on('end', () => this.push(null));
    this.wire.on('error', (error) => this.destroy(error));
    this.wire.on('close', () => this.destroy());
  }

  private sift(chunk: Buffer): void {
    try {
      for (const part of this.sieve.push(chunk)) if (!this.push(part)) this.wire.pause();
    } catch (error) {
      this.destroy(new HearthError('BAD_FRAME', 'the broker does not speak MQTT', error));
    }
  }

  override _read(): void {
    this.wire.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.wire.write(chunk, done);
  }

  /** The client writes a packet in many small pieces: they leave in one. */
  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.wire.write(Buffer.concat(chunks.map((c) => c.chunk)), done);
  }

  override _final(done: () => void): void {
    this.wire.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.wire.destroy();
    done(error);
  }
}

function dial({ url, ca, cert, key }: BrokerAddress, established: () => void): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol !== 'mqtts:') return connectTcp({ host, port: Number(port || 1883) }, established);
  return connectTls(
    {
      host,
      port: Number(port || 8883),
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
    established,
  );
}
