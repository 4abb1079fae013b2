/**
 * `node scripts/guard-histories.ts [count] [first seed] [rules]`: random histories of a home with a deliberately broken
 * planner behind the guard, or with `rules` of a plan gone wrong behind all rules. Prints how many, how many cycles in
 * them, and every violation; the aim is none in a million.
 */
import '../firmware/node-guard.ts';
import { guard } from '../firmware/policy/guard.ts';
import { history, REACTION_MS, throughRules } from '../test/policy/histories.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const first = Number(process.argv[3] ?? 1);
const decides = process.argv[4] === 'rules' ? throughRules : guard;
const REPORT_EVERY = 100_000;
const startedAt = performance.now();
let cycles = 0;
let violations = 0;
for (let seed = first; seed < first + count; seed++) {
  const verdict = history(seed, decides);
  cycles += verdict.cycles;
  violations += verdict.violations.length;
  for (const text of verdict.violations) console.log(`  ${text}`);
  const done = seed - first + 1;
  if (done % REPORT_EVERY === 0 && process.stderr.isTTY) process.stderr.write(`${done} of ${count}\n`);
}
console.log(`${count} histories, ${cycles} cycles, seeds ${first}…${first + count - 1}`);
console.log(`violations beyond the reaction time of ${REACTION_MS / 1000} s: ${violations}`);
console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
process.exit(violations === 0 ? 0 : 1);
