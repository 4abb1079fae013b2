/** The gateway as it runs on a board: the bundle, in a process of its own, with the same flags as the systemd unit. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import path from 'node:path';

/**
 * A young heap of 1 MB, code for size, and of the compilers only the first: what the optimizing ones and their code
 * take (8 MB) is worth nothing to a house that works some milliseconds a second. The planner's solver is a process of
 * its own. DEP0169: the MQTT client still calls url.parse on its own address.
 */
export const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--max-old-space-size=160',
  '--disable-warning=DEP0169',
];
/** One arena for all threads of the C library: what one gives back the others can use. */
export const NODE_ENV = { MALLOC_ARENA_MAX: '1' };
const BUNDLE = path.resolve(import.meta.dirname, '../firmware/dist/hearth.js');

export const spawnGateway = (configFile: string, stdio: StdioOptions, env = process.env): ChildProcess =>
  spawn(process.execPath, [...NODE_FLAGS, BUNDLE, 'run', configFile], {
    stdio,
    env: { ...env, ...NODE_ENV },
  });
