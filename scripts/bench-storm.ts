/** `node scripts/bench-storm.ts [7] [11]`: so many simulated days of storm by a seed; what went wrong, and how fast. */
import '../firmware/node-guard.ts';
import { simulate } from '../test/simulation/storm.ts';

const [days, seed] = [Number(process.argv[2] ?? '7'), Number(process.argv[3] ?? '11')];
const { violations, faults, kills, handedIn, lost, commits, size_bytes, seconds } = await simulate(
  seed,
  days,
  true,
);
const { user, system } = process.cpuUsage();
const cpu_s = (user + system) / 1e6;
console.log(`${days} days, seed ${seed}: ${faults} faults, ${kills} kills, ${violations.length} violations`);
for (const violation of violations.slice(0, 10)) console.log(`  ${violation}`);
console.log(`readings of the meter: ${handedIn}, of which kills took ${lost}, each within the stated bound`);
console.log(`${commits} commits, database ${(size_bytes / 1e6).toFixed(1)} MB`);
const rate = (s: number): string =>
  `${s.toFixed(1)} s, ${Math.round((days * 86_400) / s)} simulated seconds a second`;
console.log(`by the wall: ${rate(seconds)}`);
console.log(`of one core: ${rate(cpu_s)}`);
process.exitCode = violations.length > 0 ? 1 : 0;
