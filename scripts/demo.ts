/**
 * `npm start`: the gateway in a home of twins on real byte streams. A P1 meter on a pseudo terminal, a heat meter on a
 * wired M-Bus, an encrypted water meter on the radio, a boiler, a wallbox, an inverter, a battery, a heat pump and a
 * dishwasher over Modbus TCP, a grid operator on an MQTT broker. The gateway is a process of its own.
 */
import '../firmware/node-guard.ts';
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../firmware/hal/clock.ts';
import { openStore } from '../firmware/store/index.ts';
import { DISHWASHER } from '../test/twins/appliance.ts';
import { demoBroker } from '../test/twins/broker.ts';
import { modbusTcp, ptyCarrier } from '../test/twins/carriers.ts';
import { demoDishwasher, demoHome, demoStores } from '../test/twins/home.ts';
import { DAY_PRICES, limitEvent, priceEvent } from '../test/twins/operator.ts';
import { subMeters } from '../test/twins/sub-meters.ts';
import { spawnGateway } from './gateway-process.ts';

const DAY_MS = 86_400_000;
const PORT = Number(process.env.PORT ?? 8080);
const dir = process.env.HEARTH_DEMO_DIR ?? path.join(tmpdir(), `hearth-demo-${process.getuid?.() ?? 0}`);
if (!process.env.HEARTH_DEMO_DIR) rmSync(dir, { recursive: true, force: true });
mkdirSync(dir, { recursive: true });

const home = demoHome(2026, Date.now);
const meter = await ptyCarrier();
const stores = demoStores(home, Date.now);
const appliance = demoDishwasher(home, Date.now);
const [boiler, wallbox, inverter, battery, heatPump, dishwasher] = await Promise.all([
  modbusTcp(home.boiler),
  modbusTcp(home.wallbox),
  modbusTcp(home.inverter),
  modbusTcp(stores.battery.twin),
  modbusTcp(stores.heatPump.twin),
  modbusTcp(appliance.twin),
]);
const broker = await demoBroker();
const sub = await subMeters(2026, systemClock());
writeFileSync(path.join(dir, 'water-key'), sub.waterKey);

const tcp = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port });
const config = {
  site: {
    name: 'Demo home',
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    fuse_A: 35,
    phases: 3,
    exportTariff: 0.08,
  },
  store: { path: 'hearth.sqlite' },
  web: { host: '127.0.0.1', port: PORT },
  mqtt: {
    url: `mqtt://127.0.0.1:${broker.port}`,
    clientId: 'demo-home',
    topics: ['openadr3/demo/#'],
    programs: [
      { id: 'prices', name: 'Day-ahead market', binding: 'informational' },
      { id: 'limits', name: 'grid operator', binding: 'commandable', scope: 'site' },
    ],
  },
  meters: [
    {
      id: 'grid',
      name: 'Main meter',
      protocol: 'dsmr-p1',
      role: 'grid',
      link: { kind: 'serial', path: meter.path, baudRate: 115200 },
    },
    {
      id: 'heat',
      name: 'Heat meter',
      protocol: 'mbus',
      role: 'sub',
      address: sub.heatAddress,
      intervalMs: 60_000,
      mbus: { readsPerDay: null },
      link: tcp(sub.bus.port),
    },
    {
      id: 'water',
      name: 'Water meter',
      protocol: 'wmbus',
      role: 'sub',
      address: sub.waterAddress,
      receiver: 'im871a',
      key: { file: 'water-key' },
      link: tcp(sub.radio.port),
    },
  ],
  devices: [
    {
      id: 'boiler',
      name: 'Hot water',
      profile: 'relay-heater',
      link: tcp(boiler.port),
      priority: 10,
      mode: 'cheap',
      deadline: { time: '06:30', energy_Wh: 5000 },
    },
    {
      id: 'wallbox',
      name: 'Wallbox',
      profile: 'wallbox-current',
      link: tcp(wallbox.port),
      priority: 20,
      mode: 'cheap',
      deadline: { time: '07:00', energy_Wh: 14_000 },
    },
    { id: 'roof', name: 'Solar roof', profile: 'inverter-sunspec', link: tcp(inverter.port), priority: 30 },
    {
      id: 'battery',
      name: 'Battery',
      profile: 'battery-register',
      link: tcp(battery.port),
      priority: 40,
      mode: 'cheap',
      battery: { capacity_Wh: 10_000, charge_W: 5000, discharge_W: 5000 },
    },
    {
      id: 'heat-pump',
      name: 'Heat pump',
      profile: 'heat-pump-levels',
      link: tcp(heatPump.port),
      priority: 15,
      mode: 'cheap',
      levels_W: [2000, 3000],
      heat: {
        what: 'tank',
        litres: 300,
        comfort: [
          { from: '00:00', lo_C: 40, hi_C: 55 },
          { from: '06:00', lo_C: 46, hi_C: 55 },
        ],
      },
    },
    {
      id: 'dishwasher',
      name: 'Dishwasher',
      profile: 'relay-appliance',
      link: tcp(dishwasher.port),
      priority: 25,
      program: DISHWASHER,
    },
  ],
};
/** What the owner asked for before the first visit to the page: a dishwasher that is done in six hours. */
function askForRun(): void {
  const storage = openStore(path.join(dir, config.store.path), {
    clock: systemClock(),
    timeZone: config.site.timeZone,
  });
  if (!storage.overrides.load().has('dishwasher'))
    storage.overrides.save('dishwasher', { kind: 'runBy', byMs: Date.now() + 6 * 3_600_000 });
  storage.close();
}
askForRun();

const file = path.join(dir, 'hearth.json');
writeFileSync(file, JSON.stringify(config, null, 2));

setInterval(() => meter.write(home.telegram()), 1000);
setTimeout(sub.send, 3_000);
setInterval(sub.send, 16_000);
const publishPrices = (): Promise<void> => {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  return broker.publish(
    'openadr3/demo/prices',
    priceEvent({ id: 'day', programID: 'prices', modifiedMs: Date.now() }, today, [
      ...DAY_PRICES,
      ...DAY_PRICES,
    ]),
  );
};
await publishPrices();
setInterval(publishPrices, 3_600_000);
// Every ten minutes the operator limits the house to 4.2 kW for three.
const publishLimit = (): Promise<void> =>
  broker.publish(
    'openadr3/demo/limits',
    limitEvent({ id: 'evening', programID: 'limits', modifiedMs: Date.now() }, Date.now(), 180_000, 4.2),
  );
setTimeout(publishLimit, 60_000);
setInterval(publishLimit, 600_000);

const log = path.join(dir, 'hearth.log');
const gateway = spawnGateway(file, ['ignore', 'inherit', openSync(log, 'w')]);
console.log(`demo home in ${dir}, log in hearth.log; the first visit to the page sets the owner's password`);
const stop = (): void => {
  gateway.kill('SIGTERM');
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
gateway.once('exit', (code) => {
  if (code !== 0) console.error(readFileSync(log, 'utf8').split('\n').slice(-20).join('\n'));
  process.exit(code ?? 1);
});
