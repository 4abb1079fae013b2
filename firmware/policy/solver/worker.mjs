/** The solver's own process: a program a line on stdin, an answer a line on stdout, until stdin ends. */
import { createInterface } from 'node:readline';
import { solve } from './highs.mjs';

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(solve(JSON.parse(line)))}\n`);
}
