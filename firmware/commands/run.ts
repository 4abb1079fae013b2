/** `hearth run FILE`: the gateway on this board. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fromHex } from '../codecs/bytes.ts';
import { type Board, composeHouse } from '../compose.ts';
import { type Config, loadConfig, resolveSecret } from '../config.ts';
import { HearthError, ok, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { systemClock, systemRandom } from '../hal/clock.ts';
import { realLink } from '../hal/links/open.ts';
import { solverProcess } from '../policy/solver/process.ts';
import { mqttTransport } from '../signals/mqtt.ts';
import { openStore } from '../store/index.ts';
import { openWeb } from '../web/server.ts';

/** What a plan may take of a small board: the process is gone when it is made. */
const PLANNER = { timeLimit_s: 4, gap: 1e-3, memory_MiB: LIMITS.solverMemory_MiB };

export async function run(file: string): Promise<void> {
  const loaded = loadConfig(file);
  if (!loaded.ok) {
    throw new HearthError(
      'CONFIG_INVALID',
      loaded.mistakes.map((m) => `\n  ${m.path}: ${m.message}`).join(''),
    );
  }
  const { config } = loaded;
  const base = path.dirname(path.resolve(file));
  const clock = systemClock();
  const storage = openStore(path.resolve(base, config.store.path), { clock, timeZone: config.site.timeZone });
  const board: Board = {
    clock,
    random: systemRandom(),
    storage,
    link: (spec) => realLink(spec, clock),
    transport: transportOf(config, base, clock),
    feedWatchdog: () => {},
    solve: solverProcess(clock, PLANNER),
    keys: keysOf(config, base),
  };
  const house = composeHouse(config, board);
  const web = await openWeb(config.web, {
    snapshot: () => house.gateway.snapshot(),
    series: storage.series,
    journal: storage.journal,
    settings: storage.settings,
    setOverride: (device, override) =>
      house.gateway.setOverride(device, override) ? ok(null) : refuse('NOT_FOUND', `no device ${device}`),
    clock,
    random: board.random,
    info: {
      name: config.site.name,
      gridMeter: config.meters.find((m) => m.role === 'grid')?.id ?? null,
      hosts: [],
      version: '0.1.0',
    },
  });
  house.onChange(() => web.notify());
  house.start();
  process.stdout.write(`hearth: the page is at http://localhost:${web.port}\n`);
  await untilStopped();
  await web.close();
  await house.stop();
  storage.close();
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function transportOf({ mqtt }: Config, base: string, clock: Board['clock']): Board['transport'] {
  if (!mqtt) return null;
  const pem = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : readFileSync(path.resolve(base, name), 'utf8');
  const [ca, cert, key] = [pem(mqtt.ca), pem(mqtt.cert), pem(mqtt.key)];
  const password = mqtt.password === undefined ? undefined : secret(mqtt.password, base, 'mqtt.password');
  return mqttTransport(
    {
      url: mqtt.url,
      clientId: mqtt.clientId,
      topics: mqtt.topics,
      ...(mqtt.username !== undefined && { username: mqtt.username }),
      ...(password !== undefined && { password }),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
    clock,
  );
}

function keysOf(config: Config, base: string): Board['keys'] {
  const bytes = (reference: Parameters<typeof resolveSecret>[0], where: string): Uint8Array => {
    const key = fromHex(secret(reference, base, where));
    if (key?.length !== 16)
      throw new HearthError('CONFIG_INVALID', `${where}: expected 32 hexadecimal digits`);
    return key;
  };
  return new Map(
    config.meters.map((m, i) => [
      m.id,
      {
        ...(m.key && { key: bytes(m.key, `meters[${i}].key`) }),
        ...(m.authKey && { authKey: bytes(m.authKey, `meters[${i}].authKey`) }),
        ...(m.iec?.password && { password: secret(m.iec.password, base, `meters[${i}].iec.password`) }),
      },
    ]),
  );
}

function secret(reference: Parameters<typeof resolveSecret>[0], base: string, where: string): string {
  const text = resolveSecret(reference, base, process.env);
  if (text === null || text === '')
    throw new HearthError(
      'SECRET_MISSING',
      `${where}: ${'env' in reference ? `variable ${reference.env}` : reference.file} is not there`,
    );
  return text;
}
