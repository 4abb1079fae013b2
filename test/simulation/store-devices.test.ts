/** A home with a battery and a heat pump, on simulated time: what they are told, and what is written down of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { limitFor, simulatedHome } from './home.ts';

const EVENING = Date.UTC(2026, 0, 15, 18);
const MINUTE = 60_000;
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-stores-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

test('a battery and a heat pump are there, are told something, and do not fill the journal', async (t) => {
  const home = simulatedHome(7, EVENING, path.join(dir, 'a.sqlite'), { stores: true });
  const after = (ms: number): Promise<void> => home.clock.advanceTo(home.clock.elapsedMs() + ms);
  await after(5 * MINUTE);
  const device = (id: string) =>
    home
      .house()
      .gateway.snapshot()
      .image.devices.find((d) => d.id === id);
  t.match(device('battery'), { health: 'ok', flexibility: { kind: 'battery', store: { kind: 'battery' } } });
  t.match(device('heat-pump'), {
    health: 'ok',
    flexibility: { kind: 'heat-pump', store: { kind: 'heat', what: 'tank' } },
  });
  t.ok(Number.isFinite(device('battery')?.setPoint_W), 'it was told something');
  const { heatPump } = home.stores ?? {};
  let steps = 0;
  let last = device('battery')?.setPoint_W;
  for (let second = 0; second < 3600; second += 10) {
    await after(10_000);
    const now = device('battery')?.setPoint_W;
    if (now !== last) steps += 1;
    last = now;
  }
  const lines = home.storage().journal.read({ limit: 2000, kind: 'command', subject: 'battery' }).length;
  t.comment(`${steps} steps in an hour, ${lines} lines of commands`);
  t.ok(lines < 100, `${lines} lines`);
  t.ok((heatPump?.water_C ?? 0) > 40, `${heatPump?.water_C} °C in the tank`);
  const series = home.storage().series;
  series.flush();
  for (const [point, least] of [
    ['battery/stateOfCharge', 0],
    ['heat-pump/temperature', 30],
    ['heat-pump/outdoorTemperature', -10],
  ] as const) {
    const rows = series.read(point, 'raw', 0, 8e15);
    t.ok(rows.length > 50 && rows.every(({ value }) => value !== null && value > least), point);
  }

  limitFor(home, 'limit', 240, 0.3);
  await after(2 * MINUTE);
  const charging_W = home.stores?.battery.power_W(EVENING + home.clock.elapsedMs()) ?? 0;
  t.ok(charging_W <= 0, `${charging_W} W into the battery under a limit of 300 W`);
  t.ok(home.net_W() < 1000, `${home.net_W()} W at the connection`);
  await home.stop();
});

test('a full battery at noon under a limit of export: the roof gives way, the battery gives nothing', async (t) => {
  const home = simulatedHome(7, Date.UTC(2026, 5, 15, 11), path.join(dir, 'b.sqlite'), { stores: true });
  const { clock, stores } = home;
  if (!stores) throw new Error('no stores');
  stores.battery.fill = 1;
  home.house().gateway.setOverride('wallbox', { kind: 'off' });
  home.house().gateway.setOverride('boiler', { kind: 'off' });
  await clock.advanceTo(8 * MINUTE);
  t.ok(home.net_W() < -1500, `${Math.round(home.net_W())} W before`);
  limitFor(home, 'export', 240, 1, 'EXPORT');
  await clock.advanceTo(9 * MINUTE);
  const seen: number[] = [];
  for (let atMs = 9 * MINUTE; atMs < 20 * MINUTE; atMs += 10_000) {
    await clock.advanceTo(atMs);
    seen.push(home.net_W());
  }
  const worst = Math.min(...seen);
  t.ok(worst > -1100, `${Math.round(worst)} W at worst under a limit of 1 kW`);
  t.ok(stores.battery.power_W(Date.UTC(2026, 5, 15, 11) + clock.elapsedMs()) >= 0);
  stores.battery.fill = 0.5;
  await clock.advanceTo(25 * MINUTE);
  const charging_W = stores.battery.power_W(Date.UTC(2026, 5, 15, 11) + clock.elapsedMs());
  t.ok(charging_W > 300, `${charging_W} W into the battery as soon as it has room`);
  await home.stop();
});

test('a heat pump that was away is told nothing before it is known how warm its tank is', async (t) => {
  const home = simulatedHome(7, EVENING, path.join(dir, 'c.sqlite'), { stores: true });
  const { clock, stores } = home;
  if (!stores) throw new Error('no stores');
  stores.heatPump.water_C = 58;
  await clock.advanceTo(20 * MINUTE);
  const health = () =>
    home
      .house()
      .gateway.snapshot()
      .image.devices.find((d) => d.id === 'heat-pump')?.health;
  const { twin } = stores.heatPump;
  twin.misbehaves = 'silent';
  await clock.advanceTo(21 * MINUTE);
  t.equal(health(), 'silent');
  twin.misbehaves = 'none';
  await clock.advanceTo(23 * MINUTE);
  t.equal(health(), 'ok');
  const told = home
    .storage()
    .journal.read({ limit: 2000, kind: 'command', subject: 'heat-pump' })
    .filter(({ atMs }) => atMs > EVENING + 20 * MINUTE);
  t.ok(told.length > 0);
  t.ok(
    told.every(({ detail }) => detail.setPoint_W === 0),
    told.map(({ detail }) => `${detail.setPoint_W} W`).join(', '),
  );
  await home.stop();
});
