/**
 * Every decoder under a million damaged inputs: no crash, no readings made up, the next good telegram found, memory
 * flat.
 *
 *   node scripts/noise.ts [INPUTS] [SEED] [KIND]
 */
import '../firmware/node-guard.ts';
import v8 from 'node:v8';
import vm from 'node:vm';
import { drown, NOISY_KINDS } from '../test/twins/damage.ts';

const [inputs = 1_000_000, seed = 1] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4];

const COLLECTIONS = 3;
const SWEEP_MS = 50;
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;
const heap = async (): Promise<number> => {
  // What native code held is given back some time after the collection that found it unused.
  for (let i = 0; i < COLLECTIONS; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, SWEEP_MS));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const row = (...cells: readonly (string | number)[]): void =>
  void process.stdout.write(
    `${cells.map((c, i) => (i === 0 ? String(c).padEnd(21) : String(c).padStart(11))).join('')}\n`,
  );

row('kind', 'inputs', 'MB', 'seconds', 'cut', 'flip', 'noise', 'splice', 'lost', 'heap MB', 'then MB');
let failed = false;
for (const kind of NOISY_KINDS) {
  if (only !== undefined && kind.name !== only) continue;
  const begin = performance.now();
  const r = await drown(kind, { inputs, seed, checkEvery: 1000, heap });
  const { cut, flip, noise, splice } = r.invented;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  row(
    kind.name,
    inputs,
    megabytes(r.bytes),
    seconds,
    cut,
    flip,
    noise,
    splice,
    r.lost,
    megabytes(r.heapBegin_bytes),
    megabytes(r.heapEnd_bytes),
  );
  const unsafe = kind.check === 'none' ? 0 : flip + (kind.check === 'crc' ? cut : 0);
  const grown = r.heapEnd_bytes - r.heapBegin_bytes > 2e6;
  if (unsafe > 0 || r.lost > 0 || grown) failed = true;
}
process.exitCode = failed ? 1 : 0;
