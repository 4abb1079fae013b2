/** Wired M-Bus on real byte streams: a converter on TCP, a serial line; searched, and read as meters of a house. */
import { test } from 'tap';
import { MbusBus } from '../../firmware/adapters/meters/mbus/bus.ts';
import { searchBus } from '../../firmware/adapters/meters/mbus/search.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { ptyCarrier, tcpCarrier } from '../twins/carriers.ts';
import { MbusTwin, type MbusTwinMeter, twinMeter } from '../twins/mbus-line.ts';
import { PacedClock } from '../twins/paced-clock.ts';

const real = systemClock();
const START_MS = Date.UTC(2026, 5, 1);

/** A level converter on a TCP port with its bus behind it. */
async function converter(meters: readonly MbusTwinMeter[]) {
  const clock = new PacedClock(START_MS);
  const carrier = await tcpCarrier((chunk) => {
    clock.underway -= chunk.length;
    twin.take(chunk);
  });
  const write = (bytes: Uint8Array): void => {
    clock.underway += bytes.length;
    carrier.write(bytes);
  };
  const twin = new MbusTwin(meters, { clock, write });
  const link = clock.counting(realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, real));
  return { clock, twin, carrier, link };
}

test('250 meters behind a converter on TCP are found', async (t) => {
  const meters = Array.from({ length: 250 }, (_, i) =>
    twinMeter(String(41_000_000 + i * (i % 7 === 0 ? 37 : 3))),
  );
  const { clock, twin, carrier, link } = await converter(meters);
  twin.echo = true;
  twin.noise = [0xff];
  const bus = new MbusBus(link, clock, { latencyMs: null });
  const told: string[] = [];
  const { meters: found, requests } = await searchBus(bus, { found: (m) => void told.push(m.address) });
  const ids = new Set(meters.map((m) => m.id));
  t.same(new Set(found.map((m) => m.identity?.id)), ids);
  t.equal(told.length, found.length);
  t.ok(found.every((m) => m.baudRate === 2400 && m.remark === null));
  t.comment(`${requests} requests for ${found.length} meters`);
  await bus.close();
  await carrier.close();
});

test('a serial line is searched at every speed until its meters answer', async (t) => {
  const line = await ptyCarrier();
  const meters = ['10000001', '10000002', '77000003'].map((id, i) => twinMeter(id, { primary: i + 1 }));
  const twin = new MbusTwin(meters, { clock: real, baudRate: 38_400, write: (bytes) => line.write(bytes) });
  line.onBytes((chunk) => twin.take(chunk, line.baudRate()));
  const link = realLink(
    { kind: 'serial', path: line.path, baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
    real,
  );
  const bus = new MbusBus(link, real, { latencyMs: null });
  const { meters: found } = await searchBus(bus, { baudRates: [2400, 38_400] });
  t.same(found.map(({ address, primary, baudRate }) => [address, primary, baudRate]).sort(), [
    ['10000001-KAM-1b-04', 1, 38_400],
    ['10000002-KAM-1b-04', 2, 38_400],
    ['77000003-KAM-1b-04', 3, 38_400],
  ]);
  await bus.close();
  await line.close();
});
