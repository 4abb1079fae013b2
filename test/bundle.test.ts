/** The bundle that the board runs: what it leaves out is never reached on the way from a meter and a signal to a device. */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'tap';
import { benchHome } from '../scripts/bench-home.ts';
import { spawnGateway } from '../scripts/gateway-process.ts';
import { modbusTcp } from './twins/carriers.ts';
import { demoHome } from './twins/home.ts';

test('the bundle reads a meter, obeys a limit, serves the page and plans', { timeout: 60_000 }, async (t) => {
  const home = await benchHome();
  t.teardown(() => home.close());
  const box = await modbusTcp(demoHome(1, Date.now).wallbox);
  t.teardown(() => box.close());
  addCar(home.configFile, box.port);
  const gateway = spawnGateway(home.configFile, ['ignore', 'pipe', 'pipe']);
  const planned = new Promise<string>((resolve) => {
    let log = '';
    gateway.stderr?.on('data', (text: Buffer) => {
      log += String(text);
      const line = log.split('\n').find((l) => l.includes('PLANNED') && l.includes('planner'));
      if (line) resolve(line);
    });
  });
  t.teardown(() => gateway.kill());
  const said = await new Promise<string>((resolve) => {
    gateway.stdout?.once('data', (text: Buffer) => resolve(String(text)));
  });
  const written = home.nextWrite();
  await home.limitExport(1.2);
  await written;
  const at = /http:\S+:\d+/.exec(said)?.[0] ?? '';
  const answer = await fetch(`${at}/setup`);
  t.equal(answer.status, 200);
  t.match(await answer.text(), '<html');
  t.match(await planned, /"source":"solver"/, 'by its own worker with the solver in it');
});

/** A car that wants energy by a time, and a price that is known. */
function addCar(file: string, port: number): void {
  const config = JSON.parse(readFileSync(file, 'utf8'));
  const car = {
    id: 'car',
    name: 'Car',
    profile: 'wallbox-current',
    link: { kind: 'tcp', host: '127.0.0.1', port },
    mode: 'cheap',
    deadline: { time: '07:00', energy_Wh: 6000 },
  };
  const site = { ...config.site, importTariff: 0.3 };
  writeFileSync(file, JSON.stringify({ ...config, site, devices: [...config.devices, car] }));
}
