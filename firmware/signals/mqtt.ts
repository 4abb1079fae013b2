/** The operator's messages over MQTT: 5 first, 3.1.1 for a broker that refuses it. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { writeToStream } from 'mqtt-packet';
import { fault, HearthError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Clock } from '../domain/time.ts';
import type { SignalTransport, TransportEvents } from '../domain/transport.ts';

export interface MqttOptions {
  /** `mqtts://…` in the field; `mqtt://` only inside a home or a test. */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly topics: readonly string[];
}

// Else the first packet makes 65 536 buffers, one for each number that a packet may hold: 7 MB for a few messages a day.
writeToStream.cacheNumbers = false;

const RECONNECT_MIN_MS = 1_000;
const RECONNECT_MAX_MS = 60_000;
const KEEPALIVE_S = 30;
/** The broker keeps what was sent meanwhile for so long. */
const SESSION_EXPIRY_S = 86_400;
export function mqttTransport(options: MqttOptions, clock: Clock): SignalTransport {
  let client: MqttClient | null = null;
  let version: 5 | 4 = 5;
  let delayMs = RECONNECT_MIN_MS;
  let closed = false;

  const connect = (events: TransportEvents): void => {
    if (closed) return;
    const own = mqtt.connect(options.url, settings(options, version));
    client = own;
    let welcomed = false;
    const tried = version;
    own.on('connect', () => {
      welcomed = true;
      delayMs = RECONNECT_MIN_MS;
      own.subscribe([...options.topics], { qos: 1 }, (error) =>
        events.state(!error, error ? fault('REFUSED', 'the subscription was refused') : null),
      );
    });
    own.on('message', (topic, payload) => {
      if (payload.length <= LIMITS.signalMessage_bytes) events.message(topic, payload);
    });
    // What went wrong shows in the close that follows.
    own.on('error', () => {});
    own.on('close', () => {
      if (client !== own) return;
      client = null;
      own.end(true);
      events.state(false, fault('LINK_GONE', 'the broker is out of reach'));
      // A broker that knows no MQTT 5 may simply hang up: the other version has its turn.
      if (!welcomed) version = tried === 5 ? 4 : 5;
      clock.after(delayMs, () => connect(events));
      delayMs = Math.min(delayMs * 2, RECONNECT_MAX_MS);
    });
  };

  return {
    open: connect,
    publish(topic, bytes) {
      return new Promise((resolve, reject) => {
        const open = client;
        if (!open?.connected || open.queue.length >= LIMITS.mqttQueue)
          return reject(new HearthError('LINK_GONE'));
        open.publish(topic, Buffer.from(bytes), { qos: 1 }, (error) => (error ? reject(error) : resolve()));
      });
    },
    async close() {
      closed = true;
      await client?.endAsync(true);
    },
  };
}

function settings(options: MqttOptions, version: 5 | 4): IClientOptions {
  const { clientId, username, password, ca, cert, key } = options;
  return {
    clientId,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    protocolVersion: version,
    clean: false,
    keepalive: KEEPALIVE_S,
    connectTimeout: 10_000,
    // Reconnecting is done here, with back-off and a change of version.
    reconnectPeriod: 0,
    resubscribe: false,
    ...(version === 5 && {
      properties: { sessionExpiryInterval: SESSION_EXPIRY_S, maximumPacketSize: LIMITS.signalMessage_bytes },
    }),
  };
}
