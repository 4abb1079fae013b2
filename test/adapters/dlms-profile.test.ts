/** Load profiles over DLMS: every form and change of summer time, and a month over a link that is cut, into a store on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Test, test } from 'tap';
import type { Clock } from '../../firmware/domain/time.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { openStore } from '../../firmware/store/index.ts';
import { type HomeOptions, homeObjects, PERIOD_MS, PROFILE } from '../twins/dlms-home.ts';
import { dlmsTcp } from '../twins/dlms-server.ts';
import { until } from '../twins/until.ts';
import {
  type Asking,
  AUTH_KEY,
  ask,
  clockAt,
  DAY_MS,
  endsBefore,
  expectedRows,
  homeAt,
  KEY,
  METER,
  tcp,
  ZONE,
} from './dlms-asking.ts';

test('load profiles in every form, over both changes of summer time', async (t) => {
  const forms: readonly Partial<HomeOptions>[] = [
    { encoding: 'full' },
    { encoding: 'nulls' },
    { encoding: 'compact' },
    { encoding: 'nulls', selects: 'entry' },
    { encoding: 'full', selects: 'entry', newestFirst: true },
    { encoding: 'full', selects: 'nothing', keeps: 400 },
    { encoding: 'full', deviation: 'inverted' },
    { encoding: 'full', deviation: 'none' },
    { encoding: 'nulls', deviation: 'none' },
  ];
  const periods = 3 * 96;
  for (const wallMs of [Date.UTC(2026, 2, 30, 8, 1), Date.UTC(2026, 9, 26, 8, 1)]) {
    for (const form of forms) {
      const name = `${JSON.stringify(form)} ${new Date(wallMs).toISOString()}`;
      const server = await dlmsTcp({ carrier: 'wrapper', objects: homeAt(wallMs, form), maxPdu_bytes: 1000 });
      const seen = ask({
        link: tcp(server),
        dlms: { profile: { code: PROFILE, periodMs: PERIOD_MS, periods } },
        clock: clockAt(wallMs, 1),
      });
      await until(name, () => seen.health.length > 0 || seen.faults.length > 0);
      t.same(seen.faults, [], name);
      const imports = seen.history.filter((m) => m.point.quantity === 'activeEnergyImport');
      t.same(
        imports.map((m) => m.meterTimeMs),
        endsBefore(wallMs, periods),
        name,
      );
      t.same(
        imports.map((m) => m.value),
        expectedRows(wallMs, periods).filter((_, i) => i % 2 === 0),
        name,
      );
      await seen.meter.close();
      await server.close();
    }
  }
});

function storeIn(t: Test, clock: Clock) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-dlms-pull-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return () => openStore(path.join(dir, 'hearth.sqlite'), { clock, timeZone: ZONE });
}

test('a month of quarter hours, the link cut ten times: complete, nothing twice; then only what is new', async (t) => {
  let wallMs = Date.UTC(2026, 3, 10, 9, 3);
  const clock: Clock = { ...clockAt(0, 100), wallMs: () => wallMs };
  const open = storeIn(t, clock);
  const store = open();
  const server = await dlmsTcp({
    carrier: 'wrapper',
    objects: homeObjects({ now: () => wallMs, timeZone: ZONE, encoding: 'nulls' }),
    security: METER,
    mechanism: 'gmac',
    maxPdu_bytes: 1024,
  });
  const random = seededRandom(7);
  const cuts = Array.from({ length: 10 }, () => 600 + Math.floor(random.next() * 3000));
  server.cutAfter(cuts);
  const periods = 31 * 96;
  const config: Asking = {
    link: tcp(server),
    dlms: { mechanism: 'gmac', answerMs: 60_000, profile: { code: PROFILE, periodMs: PERIOD_MS, periods } },
    more: { key: KEY, authKey: AUTH_KEY, settings: store.settings },
    clock,
  };
  const seen = ask(config);
  const store1 = (): void => store.series.append(seen.history.splice(0));
  await until('a visit that went well', () => seen.health.includes('ok'));
  store1();
  const rows = () => store.series.read('m/activeEnergyImport', 'raw', wallMs - 40 * DAY_MS, wallMs + DAY_MS);
  t.equal(server.connections(), cuts.length + 1);
  t.equal(seen.faults.length, cuts.length);
  t.same(
    rows().map((r) => r.atMs),
    endsBefore(wallMs, periods),
  );
  t.same(
    rows().map((r) => r.value),
    expectedRows(wallMs, periods).filter((_, i) => i % 2 === 0),
  );
  await seen.meter.close();

  // Two days without the gateway: what is missing is fetched.
  wallMs += 2 * DAY_MS;
  const again = ask(config);
  await until('the gap', () => again.health.includes('ok'));
  const gap = again.history.filter((m) => m.point.quantity === 'activeEnergyImport').length;
  t.ok(gap >= 192 && gap <= periods, `${gap} periods`);
  store.series.append(again.history);
  t.same(
    rows().map((r) => r.atMs),
    endsBefore(wallMs, periods + 192),
  );
  await again.meter.close();
  await server.close();
  store.close();
});
