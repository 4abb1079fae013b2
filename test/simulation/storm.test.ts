/**
 * Days on simulated time. Whatever happens: never above fuse or limit for longer than the stated reaction time, no
 * reading invented, none lost beyond the stated bound.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';
import { type Account, START } from './storm.ts';

const run = async (
  seed: number,
  days: number,
  weather: 'storm' | 'calm',
  stores: 'stores' | '' = '',
): Promise<Account> => {
  const script = path.join(import.meta.dirname, 'storm.ts');
  const args = [script, String(seed), String(days), weather, stores];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout) as Account;
};

test('a day of storm: no limit broken, nothing invented, nothing lost beyond the bound', async (t) => {
  const account = await run(11, 1, 'storm');
  const { faults, kills, handedIn, lost, seconds } = account;
  t.comment(`${faults} faults, ${kills} kills took ${lost} of ${handedIn} readings`);
  t.comment(`${Math.round(86_400 / seconds)} simulated seconds a second`);
  t.same(account.violations.slice(0, 5), []);
  t.ok(faults > 100 && kills > 5 && handedIn > 8000, 'it was a storm');
});

test('the same seed gives the same day; with a battery and a heat pump no limit is broken either', async (t) => {
  const [first, second] = await Promise.all([
    run(5, 0.125, 'storm', 'stores'),
    run(5, 0.125, 'storm', 'stores'),
  ]);
  t.same(first.violations, []);
  t.same(first.trace, second.trace);
  t.same({ ...first, seconds: 0 }, { ...second, seconds: 0 });
});

test('a calm day: the boiler and the car have what they need by morning, in the cheap hours', async (t) => {
  const account = await run(3, 1, 'calm');
  t.same(account.violations, []);
  t.equal(account.lost, 0);
  const on = account.trace
    .filter((line) => line.split(' ')[1] === '1')
    .map((line) => new Date(START + Number(line.split(' ')[0])).getUTCHours());
  t.ok(on.length > 0, 'it ran');
  t.ok(on.filter((h) => h >= 17 && h < 20).length === 0, 'not in the dear evening hours');
});
