/**
 * The service manager's watchdog (sd_notify(3)). Node has no datagram socket of the Unix kind, so that
 * `systemd-notify`, which is on every board with systemd, is run for it: some milliseconds every ten seconds.
 */
import { spawn } from 'node:child_process';
import type { Clock } from '../domain/time.ts';

interface Watchdog {
  /** The house is up: readings are taken, the page listens. */
  ready(): void;
  /** After a whole good cycle; told on at a third of the time that the service manager waits. */
  feed(): void;
  /** The gateway ends because it was asked to. */
  stopping(): void;
}

const SILENT: Watchdog = { ready: () => {}, feed: () => {}, stopping: () => {} };

/** Tells nobody where no service manager asked to be told. */
export function systemdWatchdog(env: NodeJS.ProcessEnv, clock: Clock): Watchdog {
  if (!env.NOTIFY_SOCKET) return SILENT;
  const waits_us = Number(env.WATCHDOG_USEC);
  const everyMs = Number.isFinite(waits_us) && waits_us > 0 ? waits_us / 1000 / 3 : Infinity;
  let fedMs = -Infinity;
  let isTelling = false;
  const tell = (...states: string[]): void => {
    isTelling = true;
    const child = spawn('systemd-notify', states, { stdio: 'ignore', env });
    const done = (): void => {
      isTelling = false;
    };
    // Where the program is missing the manager ends us when it has waited long enough: it asked for no less.
    child.once('error', done);
    child.once('exit', done);
  };
  return {
    ready: () => tell('--ready', '--status=running'),
    feed() {
      const nowMs = clock.elapsedMs();
      if (isTelling || nowMs - fedMs < everyMs) return;
      fedMs = nowMs;
      tell('WATCHDOG=1');
    },
    stopping: () => tell('STOPPING=1'),
  };
}
