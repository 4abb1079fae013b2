/** `hearth run FILE`: the gateway on this board. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fromHex } from '../codecs/bytes.ts';
import { type Board, composeHouse } from '../compose.ts';
import { loadConfig } from '../config/check.ts';
import type { Mistake } from '../config/mistake.ts';
import type { Config } from '../config/schema.ts';
import { readSecrets, type Secrets } from '../config/secrets.ts';
import { HearthError, ok, refuse } from '../domain/errors.ts';
import type { Storage } from '../domain/storage.ts';
import { systemClock, systemRandom } from '../hal/clock.ts';
import { realLink } from '../hal/links/open.ts';
import { type Log, stderrLog } from '../hal/log.ts';
import { systemdWatchdog } from '../hal/watchdog.ts';
import { mqttTransport } from '../signals/mqtt.ts';
import { openStore } from '../store/index.ts';
import { openWeb, type WebDeps } from '../web/server.ts';

const VERSION = '0.1.0';

export async function run(file: string): Promise<void> {
  const loaded = loadConfig(file);
  if (!loaded.ok) throw refused('CONFIG_INVALID', loaded.mistakes);
  const { config } = loaded;
  const base = path.dirname(path.resolve(file));
  const read = readSecrets(config, base, process.env);
  if (!read.ok) throw refused('SECRET_MISSING', read.mistakes);
  const { secrets } = read;
  const log = stderrLog(config.log.level);

  const clock = systemClock();
  const watchdog = systemdWatchdog(process.env, clock);
  const storage = openStore(path.resolve(base, config.store.path), {
    clock,
    timeZone: config.site.timeZone,
  });
  catchFaults(log, storage);
  const random = systemRandom();
  const house = composeHouse(config, {
    clock,
    random,
    storage,
    link: (spec) => realLink(spec, clock),
    transport: transportOf(config, base, secrets, { clock, random }),
    feedWatchdog: watchdog.feed,
    keys: keysOf(config, secrets),
  });
  const web = await openWeb(config.web, {
    snapshot: () => house.gateway.snapshot(),
    series: storage.series,
    journal: storage.journal,
    settings: storage.settings,
    setOverride: (device, override) =>
      house.gateway.setOverride(device, override) ? ok(null) : refuse('NOT_FOUND', `no device ${device}`),
    clock,
    random,
    ...accessOf(config, secrets),
  });
  house.onChange(() => web.notify());
  house.start();
  process.stdout.write(`hearth: the page is at http://localhost:${web.port}\n`);
  watchdog.ready();
  await untilStopped();
  watchdog.stopping();
  await web.close();
  await house.stop();
  storage.close();
}

const refused = (code: 'CONFIG_INVALID' | 'SECRET_MISSING', mistakes: readonly Mistake[]): HearthError =>
  new HearthError(code, mistakes.map((m) => `\n  ${m.path}: ${m.message}`).join(''));

/** A broken assumption: said, what is stored is kept, and the service manager starts us again. */
function catchFaults(log: Log, storage: Storage): void {
  const die = (error: unknown): void => {
    log.write('error', 'INTERNAL', { stack: error instanceof Error ? error.stack : String(error) });
    try {
      storage.close();
    } finally {
      process.exit(1);
    }
  };
  process.once('uncaughtException', die);
  process.once('unhandledRejection', die);
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function accessOf({ site, web, meters }: Config, secrets: Secrets): Pick<WebDeps, 'info' | 'setupCode'> {
  return {
    info: {
      name: site.name,
      gridMeter: meters.find((m) => m.role === 'grid')?.id ?? null,
      hosts: web.hosts,
      version: VERSION,
    },
    setupCode: secrets.get('web.setupCode')?.reveal() ?? null,
  };
}

/** What is listened to because of what is asked. */
const answersOf = ({ admission }: NonNullable<Config['mqtt']>): string[] =>
  admission ? [admission.answerTopic] : [];

function transportOf(
  { mqtt }: Config,
  base: string,
  secrets: Secrets,
  { clock, random }: Pick<Board, 'clock' | 'random'>,
): Board['transport'] {
  if (!mqtt) return null;
  const pem = (field: 'ca' | 'cert' | 'key'): { [K in typeof field]?: string } => {
    const name = mqtt[field];
    return name === undefined ? {} : { [field]: pemOf(path.resolve(base, name), `mqtt.${field}`) };
  };
  const { url, clientId, topics, username } = mqtt;
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

function keysOf({ meters }: Config, secrets: Secrets): Board['keys'] {
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
