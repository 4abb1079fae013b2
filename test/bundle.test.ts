/** The bundle that the board runs: what it leaves out is never reached on the way from a meter and a signal to a device. */
import { test } from 'tap';
import { benchHome } from '../scripts/bench-home.ts';
import { spawnGateway } from '../scripts/gateway-process.ts';

test('the bundle reads a meter, obeys a limit and serves the page', async (t) => {
  const home = await benchHome();
  t.teardown(() => home.close());
  const gateway = spawnGateway(home.configFile, ['ignore', 'pipe', 'inherit']);
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
});
