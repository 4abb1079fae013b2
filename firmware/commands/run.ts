/** `hearth run FILE`: the gateway on this board. */
import path from 'node:path';
import { composeHouse, type House } from '../compose.ts';
import { loadConfig } from '../config/check.ts';
import type { Mistake } from '../config/mistake.ts';
import type { Config } from '../config/schema.ts';
import { readSecrets } from '../config/secrets.ts';
import { faultOf, HearthError, ok, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Random } from '../domain/random.ts';
import type { Storage } from '../domain/storage.ts';
import { type Clock, sleep } from '../domain/time.ts';
import { systemClock, systemRandom } from '../hal/clock.ts';
import { realLink } from '../hal/links/open.ts';
import { type Log, stderrLog } from '../hal/log.ts';
import { systemdWatchdog } from '../hal/watchdog.ts';
import { planProcess } from '../policy/solver/plan-process.ts';
import { openStore } from '../store/index.ts';
import { metricsText } from '../web/metrics.ts';
import { openWeb, type Web, type WebDeps } from '../web/server.ts';
import { logEntry } from './log-entry.ts';
import { accessOf, keysOf, transportOf, VERSION } from './parts.ts';

/** After this a stop is not waited for any longer: the service manager would kill us soon. */
const STOP_MS = 10_000;

/** What a plan may take of a small board: the process is gone when it is made. */
const PLANNER = {
  solver: { timeLimit_s: 4, gap: 1e-3 },
  limitMs: LIMITS.planMs,
  memory_MiB: LIMITS.solverMemory_MiB,
};

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
  const random = systemRandom();
  const watchdog = systemdWatchdog(process.env, clock);
  const storage = openStore(path.resolve(base, config.store.path), {
    clock,
    timeZone: config.site.timeZone,
    recorded: (entry) => logEntry(log, entry),
  });
  catchFaults(log, storage);
  const house = composeHouse(config, {
    clock,
    random,
    storage,
    link: (spec) => realLink(spec, clock),
    transport: transportOf(config, base, secrets, { clock, random }),
    feedWatchdog: watchdog.feed,
    keys: keysOf(config, secrets),
    makePlan: planProcess(clock, PLANNER),
  });
  house.start();
  watchdog.ready();
  const page = new Page(
    config.web,
    { ...pageOf(house, storage, { clock, random }), ...accessOf(config, secrets) },
    log,
  );
  house.onChange(() => page.notify());
  void page.open();
  await untilStopped();
  watchdog.stopping();
  clock.after(STOP_MS, () => process.exit(1));
  await page.close();
  await house.stop();
  storage.close();
  process.exit(0);
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

function pageOf(
  { gateway, radios }: House,
  storage: Storage,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Omit<WebDeps, 'info'> {
  return {
    snapshot: () => gateway.snapshot(),
    series: storage.series,
    journal: storage.journal,
    settings: storage.settings,
    setOverride: (device, override) =>
      gateway.setOverride(device, override) ? ok(null) : refuse('NOT_FOUND', `no device ${device}`),
    clock,
    random,
    radios,
    storage: () => storage.health(),
    metrics: () =>
      metricsText(gateway.snapshot(), storage.health(), {
        version: VERSION,
        resident_bytes: process.memoryUsage.rss(),
      }),
  };
}

/** The page, as soon as it can be had: the house keeps its limits without one, where another holds the port. */
class Page {
  private readonly options: Config['web'];
  private readonly deps: WebDeps & { readonly clock: Clock };
  private readonly log: Log;
  private web: Web | null = null;
  private isClosed = false;

  constructor(options: Config['web'], deps: WebDeps, log: Log) {
    this.options = options;
    this.deps = deps;
    this.log = log;
  }

  async open(): Promise<void> {
    for (let waitMs: number = LIMITS.linkBackoffMinMs; !this.isClosed && !this.web; ) {
      try {
        this.web = await openWeb(this.options, this.deps);
        process.stdout.write(`hearth: the page is at http://localhost:${this.web.port}\n`);
      } catch (error) {
        const { code, message } = faultOf(error);
        this.log.write('error', code, { message });
        await sleep(this.deps.clock, waitMs);
        waitMs = Math.min(2 * waitMs, LIMITS.linkBackoffMaxMs);
      }
    }
  }

  notify(): void {
    this.web?.notify();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.web?.close();
  }
}
