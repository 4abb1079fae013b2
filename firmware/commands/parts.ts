/** What the configuration and its secrets make of the parts of the gateway. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fromHex } from '../codecs/bytes.ts';
import type { Board } from '../compose.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { HearthError } from '../domain/errors.ts';
import { mqttTransport } from '../signals/mqtt.ts';
import type { WebDeps } from '../web/server.ts';

export const VERSION = '0.1.0';

export function accessOf(
  config: Config,
  secrets: Secrets,
): Pick<WebDeps, 'info' | 'setupCode' | 'metricsToken' | 'radioRows'> {
  const { site, web, meters } = config;
  return {
    info: {
      name: site.name,
      gridMeter: meters.find((m) => m.role === 'grid')?.id ?? null,
      hosts: web.hosts,
      version: VERSION,
    },
    setupCode: secrets.get('web.setupCode')?.reveal() ?? null,
    metricsToken: secrets.get('web.metricsToken')?.reveal() ?? null,
    radioRows: radioRowsOf(config),
  };
}

/** What is listened to because of what is asked. */
const answersOf = ({ admission }: NonNullable<Config['mqtt']>): string[] =>
  admission ? [admission.answerTopic] : [];

export function transportOf(
  { mqtt, failsafe }: Config,
  base: string,
  secrets: Secrets,
  { clock, random }: Pick<Board, 'clock' | 'random'>,
): Board['transport'] {
  if (!mqtt) return null;
  const pem = (field: 'ca' | 'cert' | 'key'): { [K in typeof field]?: string } => {
    const name = mqtt[field];
    return name === undefined ? {} : { [field]: pemOf(path.resolve(base, name), `mqtt.${field}`) };
  };
  const { url, clientId, admission, username } = mqtt;
  // What is asked has an answer to listen to, and the operator's heart is listened to where one was agreed.
  const heard = [admission?.answerTopic, failsafe?.heartbeat?.topic].flatMap((topic) => topic ?? []);
  const topics = [...new Set([...mqtt.topics, ...heard])];
  const password = secrets.get('mqtt.password')?.reveal();
  return mqttTransport(
    {
      url,
      clientId,
      topics: [...new Set([...topics, ...answersOf(mqtt)])],
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...pem('ca'),
      ...pem('cert'),
      ...pem('key'),
    },
    clock,
    random,
  );
}

function pemOf(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HearthError('SECRET_MISSING', `${where}: ${file} cannot be read`, error);
  }
}

export function keysOf({ meters }: Config, secrets: Secrets): Board['keys'] {
  const text = (where: string): string | undefined => secrets.get(where)?.reveal();
  const bytes = (where: string): Uint8Array | null => fromHex(text(where) ?? '');
  return new Map(
    meters.map((m, i) => {
      const [key, authKey] = [bytes(`meters[${i}].key`), bytes(`meters[${i}].authKey`)];
      const password = text(`meters[${i}].iec.password`) ?? text(`meters[${i}].dlms.password`);
      return [
        m.id,
        {
          ...(key?.length && { key }),
          ...(authKey?.length && { authKey }),
          ...(password !== undefined && { password }),
        },
      ];
    }),
  );
}

/** Receiver, mode and link of each radio receiver, in the order in which the configuration names them first. */
function radioRowsOf({ meters }: Config): Readonly<Record<string, unknown>>[] {
  const rows = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { protocol, receiver, mode, link } of meters) {
    const name = JSON.stringify(link);
    if (protocol === 'wmbus' && !rows.has(name)) rows.set(name, { receiver, mode, link });
  }
  return [...rows.values()];
}
