/**
 * The whole path on real wires: a P1 meter on a serial line and on TCP, a Modbus wallbox, a broker, the gateway as it
 * runs on a board, and what the owner sees. Nothing in between is faked.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { composeHouse } from '../firmware/compose.ts';
import { checkConfig } from '../firmware/config/check.ts';
import { systemClock, systemRandom } from '../firmware/hal/clock.ts';
import { realLink } from '../firmware/hal/links/open.ts';
import { mqttTransport } from '../firmware/signals/mqtt.ts';
import { openStore } from '../firmware/store/index.ts';
import { demoBroker } from './twins/broker.ts';
import { modbusTcp, ptyCarrier, tcpCarrier } from './twins/carriers.ts';
import { demoHome } from './twins/home.ts';
import { cancelMessage, limitEvent, message } from './twins/operator.ts';
import { until } from './twins/until.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-path-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

for (const carrier of ['serial', 'tcp'] as const) {
  test(`meter over ${carrier}: readings, a limit, the write on the wire, the reason`, async (t) => {
    const home = demoHome(7, Date.now);
    const [wallbox, broker] = await Promise.all([modbusTcp(home.wallbox), demoBroker()]);
    const meter = carrier === 'serial' ? await ptyCarrier() : await tcpCarrier(() => {});
    const meterLink =
      'path' in meter
        ? { kind: 'serial', path: meter.path, baudRate: 115200 }
        : { kind: 'tcp', host: '127.0.0.1', port: meter.port };
    const checked = checkConfig({
      site: { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3 },
      store: { path: 'x' },
      mqtt: {
        url: `mqtt://127.0.0.1:${broker.port}`,
        clientId: `path-${carrier}`,
        topics: ['dso/#'],
        programs: [{ id: 'limits', name: 'DSO', binding: 'commandable' }],
      },
      meters: [{ id: 'grid', name: 'Meter', protocol: 'dsmr-p1', link: meterLink }],
      devices: [
        {
          id: 'wallbox',
          name: 'Wallbox',
          profile: 'wallbox-current',
          link: { kind: 'tcp', host: '127.0.0.1', port: wallbox.port },
        },
      ],
    });
    if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes));
    const { config } = checked;
    const clock = systemClock();
    const storage = openStore(path.join(dir, `${carrier}.sqlite`), { clock, timeZone: config.site.timeZone });
    const transport = mqttTransport(
      { url: config.mqtt?.url ?? '', clientId: `path-${carrier}`, topics: ['dso/#'] },
      clock,
      systemRandom(),
    );
    const board = {
      clock,
      random: systemRandom(),
      storage,
      link: (spec: Parameters<typeof realLink>[0]) => realLink(spec, clock),
      transport,
      feedWatchdog: () => {},
      keys: new Map(),
    };
    const house = composeHouse(config, board);
    const telegrams = setInterval(() => meter.write(home.telegram()), 100);
    house.start();
    const register = (): number => home.wallbox.registers.holding.get(1000) ?? 0;
    await until('the meter is read', () => house.gateway.snapshot().image.grid_W.value !== null);
    await until('the wallbox runs', () => register() === 160);
    // Until meter and wallbox agree, the difference counts as the rest of the house.
    const image = () => house.gateway.snapshot().image;
    await until(
      'both say so',
      () => (image().grid_W.value ?? 0) > 5000 && (image().devices[0]?.power_W.value ?? 0) > 5000,
    );
    await until('the broker is there', () => house.gateway.snapshot().broker.connected);

    const now = Date.now();
    await broker.publish(
      'dso/limit',
      limitEvent({ id: 'a', programID: 'limits', modifiedMs: now }, now - 1000, 60_000, 6),
    );
    await until('the wallbox is turned down', () => register() < 160);
    const set_W = (register() / 10) * 690;
    // The roof may cover more, when the sun shines.
    const net_W = home.world.net_W(Date.now());
    t.ok(set_W >= 4140 && net_W <= 6000, `${set_W} W, ${net_W} W at the connection under 6 kW`);
    const reason = () => house.gateway.snapshot().decision?.devices[0]?.reasons[0];
    await until('the meter has seen it', () => reason()?.code === 'GRID_LIMIT');
    t.match(reason(), { code: 'GRID_LIMIT', values: { limit_W: 6000, source: 'DSO' } });

    await broker.publish(
      'dso/limit',
      message({
        id: 'a',
        programID: 'limits',
        intervals: [{ payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: [-5] }] }],
      }),
    );
    await broker.publish(
      'dso/limit',
      limitEvent({ id: 'a', programID: 'limits', modifiedMs: now - 1 }, now - 1000, 60_000, 99),
    );
    await until(
      'both refusals are in the journal',
      () => storage.journal.read({ limit: 50, kind: 'rejected' }).length === 2,
    );
    t.same(
      storage.journal
        .read({ limit: 9, kind: 'rejected' })
        .map((e) => e.code)
        .sort(),
      ['SIGNAL_INVALID', 'SIGNAL_STALE'],
    );
    const limit_W = () => house.gateway.snapshot().decision?.limits[0]?.limit_W;
    t.equal(limit_W(), 6000, 'a bad message changes nothing');

    await broker.publish(
      'dso/limit',
      limitEvent({ id: 'b', programID: 'limits', modifiedMs: now }, now - 1000, 60_000, 0),
    );
    await until('0 W stops it', () => register() === 0);
    await broker.publish('dso/limit', cancelMessage({ id: 'b', programID: 'limits', modifiedMs: now }));
    await until('the other limit holds again', () => limit_W() === 6000);

    const stored = (): number => storage.series.read('grid/activeEnergyImport', 'raw', 0, 8e15).length;
    await until('several telegrams came', () => {
      storage.series.flush();
      return stored() > 3;
    });
    clearInterval(telegrams);
    await house.stop();
    t.ok(stored() > 3, 'stored');
    storage.close();

    // A restart knows the limit before the broker is heard.
    const again = openStore(path.join(dir, `${carrier}.sqlite`), { clock, timeZone: config.site.timeZone });
    const known = again.signals.load(Date.now());
    t.equal(known.find((s) => s.cancelledMs === undefined)?.intervals[0]?.value, 6000);
    again.close();
    await Promise.all([wallbox.close(), broker.close(), meter.close()]);
  });
}
