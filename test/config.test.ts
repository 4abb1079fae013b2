import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { checkConfig, loadConfig } from '../firmware/config.ts';

const example = path.resolve(import.meta.dirname, '../board/hearth.example.json');

test('the example of the board is right', async (t) => {
  t.match(loadConfig(example), { ok: true });
});

test('every mistake is named by its path, all at once', async (t) => {
  const config = JSON.parse(readFileSync(example, 'utf8'));
  config.site.timeZone = 'Mars/Olympus';
  config.meters[0].link.baudRate = 'fast';
  config.meters[0].colour = 'red';
  config.devices[1].deadline = { time: '25:00', energy_Wh: 1 };
  config.mqtt.password = 'secret in the file';
  const checked = checkConfig(config);
  if (checked.ok) throw new Error('accepted');
  const said = checked.mistakes.map((m) => `${m.path}: ${m.message}`).join('\n');
  for (const part of [
    'site.timeZone: expected an IANA',
    'meters[0].link.baudRate: expected one of 300',
    'meters[0]: expected no key "colour"',
    'devices[1].deadline.time: expected HH:MM',
    'mqtt.password: expected {"file"',
  ]) {
    t.match(said, part);
  }
  t.notMatch(said, 'secret in the file', 'a secret is never repeated');
});

test('two things of one name, a missing file, no JSON', async (t) => {
  const config = JSON.parse(readFileSync(example, 'utf8'));
  config.devices[1].id = 'grid';
  t.match(checkConfig(config), { ok: false, mistakes: [{ path: 'devices[1].id' }] });
  t.match(loadConfig('/nowhere.json'), { ok: false });
  t.match(loadConfig(import.meta.filename), { ok: false, mistakes: [{ message: /expected JSON/ }] });
});
