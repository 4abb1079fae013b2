/**
 * The operator's messages over MQTT: 5 first, 3.1.1 for a broker that does not know it. A message is acknowledged
 * only after it has been dealt with and written down, so that a power cut in between brings it again.
 */
import { type IClientOptions, type IPublishPacket, MqttClient } from 'mqtt';
import { writeToStream } from 'mqtt-packet';
import { type Fault, fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import type { Cancel, Clock, ElapsedMs } from '../domain/time.ts';
import type { SignalTransport, TransportEvents } from '../domain/transport.ts';
import { brokerFault, reasonFault } from './broker-fault.ts';
import { type BrokerAddress, BrokerStream } from './broker-stream.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';
import { fits } from './topic.ts';

export interface MqttOptions extends BrokerAddress {
  /** The same over restarts: the broker keeps our session by it. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Filters; a message of any other topic is refused. */
  readonly topics: readonly string[];
}

// Else the first packet makes 65 536 buffers, one for each number that a packet may hold: 7 MB for a few messages a day.
writeToStream.cacheNumbers = false;

const KEEPALIVE_S = 30;
const CONNECT_TIMEOUT_MS = 10_000;
/** The broker keeps what was sent meanwhile for so long. */
const SESSION_EXPIRY_S = 86_400;
/** A connection that stood for so long was a good one: the next back-off begins anew. */
const STABLE_MS = 30_000;
/** A message that could not be written down comes again on a new connection, no sooner than this. */
const RENEW_MS = 5_000;

/** Doubles up to a minute; half of it is chance, so that a street does not come back at the same second. */
export function backoffMs(failures: number, random: Random): number {
  const whole = Math.min(LIMITS.mqttBackoffMaxMs, LIMITS.mqttBackoffMinMs * 2 ** Math.min(failures, 16));
  return whole / 2 + (whole / 2) * random.next();
}

export const mqttTransport = (options: MqttOptions, clock: Clock, random: Random): SignalTransport =>
  new MqttTransport(options, clock, random);

/** One attempt at a connection, and what became of it. */
interface Attempt {
  readonly client: MqttClient;
  established: boolean;
  welcomedMs: ElapsedMs | null;
  /** The first thing that went wrong; what follows is only its echo. */
  fault: Fault | null;
  renewing: boolean;
}

class MqttTransport implements SignalTransport {
  private readonly options: MqttOptions;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly outbox: Outbox;
  private readonly pace: Pace;
  private attempt: Attempt | null = null;
  private version: 4 | 5 = 5;
  private failures = 0;
  private closed = false;
  private cancelRetry: Cancel = () => {};

  constructor(options: MqttOptions, clock: Clock, random: Random) {
    this.options = options;
    this.clock = clock;
    this.random = random;
    this.outbox = new Outbox(clock);
    this.pace = new Pace(LIMITS.signalBurst, LIMITS.signalsPerSecond, clock.elapsedMs());
  }

  open(events: TransportEvents): void {
    const client = new MqttClient(
      () =>
        new BrokerStream(this.options, this.version, {
          established: () => {
            if (this.attempt) this.attempt.established = true;
          },
          skipped: ({ topic, size }) =>
            events.refused(topic, fault('OVERSIZED', `a packet of ${size} bytes was skipped`)),
        }),
      settings(this.options, this.version),
    );
    const attempt: Attempt = { client, established: false, welcomedMs: null, fault: null, renewing: false };
    this.attempt = attempt;
    client.handleMessage = (packet, done) => this.take(packet, done, attempt, events);
    client.on('connect', () => this.welcomed(attempt, events));
    client.on('error', (error) => {
      attempt.fault ??= brokerFault(error);
    });
    client.on('disconnect', ({ reasonCode }) => {
      attempt.fault ??= reasonFault(reasonCode ?? 0);
    });
    client.on('close', () => this.lost(attempt, events));
  }

  async publish(topic: string, bytes: Uint8Array, keepMs = Number.POSITIVE_INFINITY): Promise<void> {
    const sent = this.outbox.add(topic, bytes, keepMs);
    this.sendWaiting();
    return sent;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelRetry();
    this.outbox.close();
    await this.attempt?.client.endAsync(true);
  }

  private welcomed(attempt: Attempt, events: TransportEvents): void {
    attempt.welcomedMs = this.clock.elapsedMs();
    attempt.client.subscribe([...this.options.topics], { qos: 1 }, (error, granted) => {
      if (error || granted?.some(({ qos }) => qos >= 0x80)) {
        attempt.fault ??= fault('NOT_ALLOWED', 'the broker refused a subscription');
        attempt.client.end(true);
        return;
      }
      events.state(true, null);
      this.sendWaiting();
    });
  }

  /** Takes one message; the next one is not looked at before `done`. */
  private take(
    { topic, payload, qos }: IPublishPacket,
    done: (error?: Error) => void,
    attempt: Attempt,
    events: TransportEvents,
  ): void {
    const kept = this.deliver(topic, Buffer.from(payload), events);
    const waitMs = this.pace.take(this.clock.elapsedMs());
    const go = (): void => done(kept || qos === 0 ? undefined : new Error('not kept'));
    if (waitMs > 0) this.clock.after(waitMs, go);
    else go();
    if (!kept && qos > 0) this.renew(attempt);
  }

  private deliver(topic: string, payload: Buffer, events: TransportEvents): boolean {
    // Empty: a retained message was cleared, or the sieve took what was too long. Nothing is said either way.
    if (payload.length === 0) return true;
    if (!this.options.topics.some((filter) => fits(filter, topic))) {
      events.refused(topic, fault('SIGNAL_UNKNOWN_TOPIC'));
      return true;
    }
    return events.message(topic, payload);
  }

  /** The broker sends what was not acknowledged at the next connection, and only then. */
  private renew(attempt: Attempt): void {
    if (attempt.renewing) return;
    attempt.renewing = true;
    this.clock.after(RENEW_MS, () => {
      attempt.fault ??= fault('STORE_FULL', 'a signal could not be written down; it is asked for again');
      attempt.client.end(true);
    });
  }

  private lost(attempt: Attempt, events: TransportEvents): void {
    if (this.attempt !== attempt) return;
    this.attempt = null;
    attempt.client.end(true);
    this.outbox.again();
    if (this.closed) return;
    const { welcomedMs } = attempt;
    if (welcomedMs !== null && this.clock.elapsedMs() - welcomedMs >= STABLE_MS) this.failures = 0;
    const otherVersion = wantsOtherVersion(attempt);
    if (otherVersion) this.version = this.version === 5 ? 4 : 5;
    if (otherVersion && this.version === 4) {
      this.open(events);
      return;
    }
    events.state(false, attempt.fault ?? fault('LINK_GONE', 'the broker is out of reach'));
    this.cancelRetry = this.clock.after(backoffMs(this.failures++, this.random), () => this.open(events));
  }

  private sendWaiting(): void {
    const attempt = this.attempt;
    if (!attempt?.client.connected) return;
    this.outbox.send((topic, bytes, acknowledged) => {
      if (this.attempt !== attempt || !attempt.client.connected) return acknowledged(new Error('gone'));
      attempt.client.publish(topic, bytes, { qos: 1 }, acknowledged);
    });
  }
}

/** A broker that knows no MQTT 5 says so, or hangs up, or says nothing at all. */
function wantsOtherVersion({ established, welcomedMs, fault: reason }: Attempt): boolean {
  if (!established || welcomedMs !== null) return false;
  return reason === null || ['UNSUPPORTED', 'TIMEOUT', 'LINK_GONE'].includes(reason.code);
}

function settings({ clientId, username, password }: MqttOptions, version: 5 | 4): IClientOptions {
  return {
    clientId,
    ...(username !== undefined && { username }),
    // As bytes: a library below prints the strings that it writes when it is asked to debug.
    ...(password !== undefined && { password: Buffer.from(password) }),
    protocolVersion: version,
    clean: false,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Reconnecting is done here, with back-off and a change of version.
    reconnectPeriod: 0,
    resubscribe: false,
    // The same goes for the packets that the client itself would log.
    log: () => {},
    ...(version === 5 && {
      properties: {
        sessionExpiryInterval: SESSION_EXPIRY_S,
        maximumPacketSize: LIMITS.mqttPacket_bytes,
        receiveMaximum: LIMITS.signalBurst,
      },
    }),
  };
}
