/** The gateway as it runs on a board: the bundle, in a process of its own, with the same flags as the systemd unit. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import path from 'node:path';

/** A young heap of 1 MB and code for size take a few MB less. DEP0169: the MQTT client still calls url.parse on its own address. */
export const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--max-old-space-size=160',
  '--disable-warning=DEP0169',
];
const BUNDLE = path.resolve(import.meta.dirname, '../firmware/dist/hearth.js');

export const spawnGateway = (configFile: string, stdio: StdioOptions, env = process.env): ChildProcess =>
  spawn(process.execPath, [...NODE_FLAGS, BUNDLE, 'run', configFile], { stdio, env });
