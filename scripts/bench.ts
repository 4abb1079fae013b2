/**
 * `npm run bench`: limit published on the broker → first byte of the Modbus write at the device, over a real broker
 * and real TCP; resident memory of the gateway's process and seconds to its first reading, in the same run.
 */
import '../firmware/node-guard.ts';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { demoBroker } from '../test/twins/broker.ts';
import { modbusTcp, tcpCarrier } from '../test/twins/carriers.ts';
import { demoHome } from '../test/twins/home.ts';
import { message } from '../test/twins/operator.ts';
import { spawnGateway } from './gateway-process.ts';

const RUNS = 200;
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
const home = demoHome(1, Date.now);
const [roof, broker, meter] = await Promise.all([
  modbusTcp(home.inverter),
  demoBroker(),
  tcpCarrier(() => {}),
]);
const file = path.join(dir, 'hearth.json');
const tcp = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port });
writeFileSync(
  file,
  JSON.stringify({
    site: { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 63, phases: 3 },
    store: { path: 'hearth.sqlite' },
    web: { host: '127.0.0.1', port: 0 },
    mqtt: {
      url: `mqtt://127.0.0.1:${broker.port}`,
      clientId: 'bench',
      topics: ['dso/#'],
      programs: [{ id: 'l', name: 'DSO', binding: 'commandable' }],
    },
    meters: [{ id: 'grid', name: 'Meter', protocol: 'dsmr-p1', link: tcp(meter.port) }],
    devices: [{ id: 'roof', name: 'Roof', profile: 'inverter-sunspec', link: tcp(roof.port) }],
  }),
);
setInterval(() => meter.write(home.telegram()), 250).unref();
const startedAt = performance.now();
const gateway = spawnGateway(file, 'ignore');

const nextWrite = (): Promise<number> =>
  new Promise((resolve) => {
    home.inverter.onWrite = () => resolve(performance.now());
  });
const firstWriteAt = await nextWrite();
await new Promise((resolve) => setTimeout(resolve, 3000));

const latencies: number[] = [];
for (let run = 0; run < RUNS; run++) {
  // Another export limit each time: the inverter's percentage has to be written at once, up or down.
  const written = nextWrite();
  const at = performance.now();
  const start = new Date(Date.now() - 1000).toISOString();
  const values = [0.5 + (run % 40) / 10];
  const event = {
    id: 'e',
    programID: 'l',
    modificationDateTime: new Date().toISOString(),
    intervalPeriod: { start, duration: 'PT1H' },
  };
  await broker.publish(
    'dso/l',
    message({ ...event, intervals: [{ payloads: [{ type: 'EXPORT_CAPACITY_LIMIT', values }] }] }),
  );
  const first = await Promise.race([
    written,
    new Promise<null>((resolve) => setTimeout(() => resolve(null), 1500)),
  ]);
  if (first !== null) latencies.push(first - at);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
latencies.sort((a, b) => a - b);
const at = (share: number): string =>
  (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN).toFixed(1);
const rss_kB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]);
console.log(
  `limit published → write at the device, ${latencies.length} writes: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
);
console.log(
  `process start → first command at the device: ${((firstWriteAt - startedAt) / 1000).toFixed(2)} s`,
);
console.log(`resident memory of the gateway: ${(rss_kB / 1024).toFixed(0)} MB`);
gateway.kill();
await Promise.all([roof.close(), broker.close(), meter.close()]);
rmSync(dir, { recursive: true, force: true });
await import('./bench-iec.ts');
process.exit(0);
