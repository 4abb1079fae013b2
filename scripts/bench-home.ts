/** A small home on real byte streams for measuring: a P1 meter and an inverter over TCP, a broker, one configuration. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { demoBroker } from '../test/twins/broker.ts';
import { modbusTcp, tcpCarrier } from '../test/twins/carriers.ts';
import { demoHome } from '../test/twins/home.ts';
import { message } from '../test/twins/operator.ts';

const METER_MS = 250;

export interface BenchHome {
  readonly configFile: string;
  /** The next Modbus write that the inverter sees; its time by the clock of this process. */
  nextWrite(): Promise<number>;
  /** The operator limits the export for an hour. */
  limitExport(limit_kW: number): Promise<void>;
  close(): Promise<void>;
}

/** `change` is laid over the configuration. */
export async function benchHome(change: object = {}): Promise<BenchHome> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
  const home = demoHome(1, Date.now);
  const [roof, broker, meter] = await Promise.all([
    modbusTcp(home.inverter),
    demoBroker(),
    tcpCarrier(() => {}),
  ]);
  const configFile = path.join(dir, 'hearth.json');
  writeFileSync(configFile, JSON.stringify({ ...configOf(broker.port, meter.port, roof.port), ...change }));
  const telegrams = setInterval(() => meter.write(home.telegram()), METER_MS);
  return {
    configFile,
    nextWrite: () =>
      new Promise((resolve) => {
        home.inverter.onWrite = () => resolve(performance.now());
      }),
    limitExport(limit_kW) {
      const start = new Date(Date.now() - 1000).toISOString();
      const payloads = [{ type: 'EXPORT_CAPACITY_LIMIT', values: [limit_kW] }];
      const event = {
        id: 'e',
        programID: 'l',
        modificationDateTime: new Date().toISOString(),
        intervalPeriod: { start, duration: 'PT1H' },
      };
      return broker.publish('dso/l', message({ ...event, intervals: [{ payloads }] }));
    },
    async close() {
      clearInterval(telegrams);
      await Promise.all([roof.close(), broker.close(), meter.close()]);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const tcp = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port });

const configOf = (broker: number, meter: number, roof: number) => ({
  site: { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 63, phases: 3 },
  store: { path: 'hearth.sqlite' },
  web: { host: '127.0.0.1', port: 0 },
  mqtt: {
    url: `mqtt://127.0.0.1:${broker}`,
    clientId: 'bench',
    topics: ['dso/#'],
    programs: [{ id: 'l', name: 'DSO', binding: 'commandable' }],
  },
  meters: [{ id: 'grid', name: 'Meter', protocol: 'dsmr-p1', link: tcp(meter) }],
  devices: [{ id: 'roof', name: 'Roof', profile: 'inverter-sunspec', link: tcp(roof) }],
});
