/** An appliance behind a plug as a configuration makes it, over real Modbus TCP. */
import { test } from 'tap';
import type { Board } from '../../firmware/compose/board.ts';
import { devicesOf } from '../../firmware/compose/devices.ts';
import { checkConfig } from '../../firmware/config/check.ts';
import { type Flexibility, lengthMsOf } from '../../firmware/domain/flexibility.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { ApplianceTwin } from '../twins/appliance.ts';
import { modbusTcp } from '../twins/carriers.ts';
import { until } from '../twins/until.ts';
import { instruction } from './store-bench.ts';

const PROGRAM = [{ minutes: 60, power_W: 2000 }];
const SITE = { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 25, phases: 1 };

test('an appliance: its program on its menu, power by the plug, and the twin that runs by itself', async (t) => {
  // Half an hour a second, so that a poll falls into it: what the twin does is a matter of its own time.
  const begunMs = performance.now();
  const fastMs = (): number => (performance.now() - begunMs) * 1800;
  const appliance = new ApplianceTwin(PROGRAM, 0, fastMs);
  const carrier = await modbusTcp(appliance.twin);
  const checked = checkConfig({
    site: SITE,
    store: { path: 'x' },
    meters: [],
    devices: [
      {
        id: 'dishwasher',
        name: 'Dishwasher',
        profile: 'relay-appliance',
        link: { kind: 'tcp', host: '127.0.0.1', port: carrier.port },
        phases: [2],
        program: PROGRAM,
      },
    ],
  });
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes));
  const clock = systemClock();
  const writes = { spend: () => true, used: () => 0 };
  const board = {
    clock,
    link: (spec: Parameters<typeof realLink>[0]) => realLink(spec, clock),
    storage: { writes },
  };
  const [made] = devicesOf(checked.config, board as unknown as Board);
  if (!made) throw new Error('no device');
  t.equal(made.settings.mode, 'cheap', 'what is asked for by an hour may wait');
  const menus: Flexibility[] = [];
  const powers: (number | null)[] = [];
  const said: string[] = [];
  made.resource.open({
    measured: (all) => void powers.push(...all.filter((m) => m.quality === 'good').map((m) => m.value)),
    flexibility: (menu) => void menus.push(menu),
    status: (_, status, reason) => void said.push(reason ? `${status} ${reason.code}` : status),
    health: (health) => void said.push(health),
    fault: () => {},
  });
  const [menu] = menus;
  t.match(menu, {
    controlType: 'POWER_PROFILE_BASED_CONTROL',
    kind: 'appliance',
    ranges: [
      { min_W: 0, max_W: 0 },
      { min_W: 2000, max_W: 2000 },
    ],
    phases: [2],
    worstCase_W: 2000,
    steerable: false,
    need: null,
  });
  t.equal(menu?.program && lengthMsOf(menu.program), 60 * 60_000);
  await until('heard', () => said.includes('ok') && powers.length > 0);
  t.same([powers.at(-1), appliance.begun], [0, 0], 'without power it does nothing');
  made.resource.instruct(instruction(2000));
  await until('on', () => said.includes('SUCCEEDED'));
  await until('done', () => appliance.finished === 1);
  t.ok(powers.includes(2001), `measured ${powers} W`);
  appliance.twin.misbehaves = 'ignoresWrites';
  made.resource.instruct(instruction(0));
  await until('refused', () => said.includes('ABORTED READBACK_DIFFERS'));
  t.same([appliance.begun, appliance.interrupted], [1, 0], 'once, and it stands by');
  await made.resource.close();
  await carrier.close();
});
