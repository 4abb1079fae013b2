/**
 * `node scripts/kill-store.ts [200]`: kills a process that takes in values at so many random points, each time on the
 * database that the last one left, and prints what was lost against the stated bound. Its clock runs a hundred times
 * faster than life, so the bound of `LIMITS.storeBatchMs` is a hundredth of it here.
 */
import '../firmware/node-guard.ts';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LIMITS } from '../firmware/domain/limits.ts';
import { seededRandom } from '../firmware/hal/simulated/random.ts';
import { type Killed, killOnce } from '../test/store/kill.ts';
import { FASTER } from '../test/store/writer.ts';

const rounds = Number(process.argv[2] ?? '200');
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-kill-'));
const file = path.join(dir, 'hearth.sqlite');
const random = seededRandom(1);
const all: Killed[] = [];
for (let round = 0; round < rounds; round += 1) {
  const killed = await killOnce(file, round, random);
  all.push(killed);
  if (killed.wrong.length > 0) console.log(`round ${round}: ${killed.wrong.join('; ')}`);
}
const sum = (of: (killed: Killed) => number): number => all.reduce((total, killed) => total + of(killed), 0);
const worst = all.toSorted((a, b) => b.oldestLostMs - a.oldestLostMs)[0];
const oldest = all.map(({ oldestLostMs }) => oldestLostMs).sort((a, b) => a - b);
const bound_ms = LIMITS.storeBatchMs / FASTER;
console.log(
  `kills: ${rounds}, of which with a log to replay: ${sum(({ logReplayed }) => Number(logReplayed))}`,
);
console.log(`opened and sound: ${sum(({ wrong }) => Number(wrong.length === 0))} of ${rounds}`);
console.log(`values handed in: ${sum(({ handedIn }) => handedIn)}, lost: ${sum(({ lost }) => lost)}`);
console.log(
  `age of the oldest lost value: median ${oldest[rounds >> 1]?.toFixed(0)} ms, most ${oldest.at(-1)?.toFixed(0)} ms ` +
    `(in which the machine let it stand for ${worst?.stalledMs.toFixed(0)} ms); ` +
    `the bound is ${bound_ms} ms and the time of one commit`,
);
console.log(`database: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
rmSync(dir, { recursive: true, force: true });
process.exitCode = all.some(({ wrong }) => wrong.length > 0) ? 1 : 0;
