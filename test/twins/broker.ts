/** The demo home's own broker: MQTT 3.1.1 only, so that the fall-back is used every day. */
import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';

export interface Broker {
  readonly port: number;
  publish(topic: string, payload: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function demoBroker(port = 0): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const server: Server = createServer(aedes.handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        aedes.publish(
          { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: true, dup: false },
          (error) => (error ? reject(error) : resolve()),
        );
      }),
    close: () =>
      new Promise((resolve) => {
        aedes.close(() => server.close(() => resolve()));
      }),
  };
}
