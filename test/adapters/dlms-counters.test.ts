/** Invocation counters of a ciphered dialogue: what would give the key away, and what would lock the meter. */
import { test } from 'tap';
import { DLMS_DEFAULTS, type DlmsOptions } from '../../firmware/adapters/meters/dlms/options.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import type { Settings } from '../../firmware/domain/storage.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { DlmsTwin } from '../twins/dlms-meter.ts';
import { dlmsTcp } from '../twins/dlms-server.ts';
import { until } from '../twins/until.ts';
import { AUTH_KEY, ask, clockAt, homeAt, KEY, METER, memory, NOON, tcp, ZONE } from './dlms-asking.ts';

test('counters: never used twice, over restarts, believed only from the meter itself', async (t) => {
  const settings = memory();
  const server = await dlmsTcp({
    carrier: 'wrapper',
    objects: homeAt(NOON),
    security: METER,
    mechanism: 'gmac',
  });
  const visits = async (more: Partial<MeterConfig> = {}, dlms: Partial<DlmsOptions> = {}) => {
    const seen = ask({
      link: tcp(server),
      dlms: { mechanism: 'gmac', ...dlms },
      more: { key: KEY, authKey: AUTH_KEY, settings, ...more },
    });
    await until('a visit', () => seen.health.length > 0 || seen.faults.length > 0);
    await seen.meter.close();
    return seen;
  };
  const used: number[] = [];
  for (let restart = 0; restart < 3; restart++) {
    const { faults } = await visits();
    t.same(faults, []);
    used.push(server.twin.lastClientCounter);
  }
  t.ok((used[0] ?? 0) < (used[1] ?? 0) && (used[1] ?? 0) < (used[2] ?? 0), `grows: ${used.join()}`);
  t.notMatch([...settings.kept].join(), KEY.toString('hex'));

  server.twin.misbehaves.add('counterTooLow');
  const corrected = await visits({ settings: memory() });
  t.same(corrected.faults, [], 'a meter that knows the counter better');
  t.ok(server.twin.lastClientCounter > 5000);
  server.twin.misbehaves.clear();
  await server.close();

  const strict = await dlmsTcp({
    carrier: 'wrapper',
    objects: homeAt(NOON),
    security: METER,
    publicReads: true,
  });
  const seen = ask({
    link: tcp(strict),
    dlms: { protection: 'both', client: 1, counterCode: '0-0:43.1.0' },
    more: { key: KEY, authKey: AUTH_KEY },
  });
  await until('values', () => seen.health.length > 0 || seen.faults.length > 0);
  t.same(seen.faults, []);
  t.ok(strict.twin.lastClientCounter > 70_000, 'the counter that the meter shows to the public client');
  await seen.meter.close();
  await strict.close();

  const full: Settings = { get: () => null, set: () => {}, remove: () => {} };
  const server2 = await dlmsTcp({ carrier: 'wrapper', objects: homeAt(NOON), security: METER });
  const unkept = ask({
    link: tcp(server2),
    dlms: { protection: 'both' },
    more: { key: KEY, authKey: AUTH_KEY, settings: full },
  });
  await until('refused', () => unkept.faults.length > 0);
  t.same(unkept.faults, ['STORE_FULL'], 'a counter that cannot be kept is not used');
  t.equal(server2.sent_bytes(), 0, 'nothing was answered because nothing was sent');
  await unkept.meter.close();
  await server2.close();
});

/** Invocation counters in what we sent, each with what stands under it: an initiate request (21h) or a GET (C8h). */
const countersIn = (frames: readonly Uint8Array[]): readonly (readonly [number, string])[] =>
  frames.flatMap((frame): [number, string][] => {
    const sealed = /^(?:60.*be..04..21|c8)..30(.{8})(.*)$/.exec(Buffer.from(frame).toString('hex', 8));
    return sealed ? [[Number.parseInt(sealed[1] ?? '', 16), sealed[2] ?? '']] : [];
  });

test('whoever lies about the counter does not get one used twice, nor all of them used up', async (t) => {
  const settings = memory();
  const frames: Uint8Array[] = [];
  let answer: (bytes: Uint8Array) => void = () => {};
  const options = { carrier: 'wrapper', objects: homeAt(NOON), security: METER } as const;
  const twin = new DlmsTwin(options, (bytes) => answer(bytes));
  /** Visits between two starts of the gateway; null for one to the meter itself, else what the liar makes of our counter. */
  const visits = async (lies: readonly (((counter: number) => number) | null)[], repeats: number) => {
    const clock = clockAt(NOON, 100);
    const { link, twin: end } = simulatedLine(clock, 'wire');
    answer = (bytes) => end.write(bytes);
    let visit = -1;
    let lied = false;
    end.onBytes((bytes) => {
      frames.push(bytes);
      const lie = lies[visit];
      if (lie === null) twin.take(bytes);
      if (!lie) return;
      const [[counter = 0] = []] = countersIn([bytes]);
      if (!lied) end.write(Buffer.concat([Buffer.from('0001000100100007d80106', 'hex'), word(lie(counter))]));
      lied = true;
    });
    const faults: string[] = [];
    const health: string[] = [];
    const counted = {
      ...link,
      open: (events: Parameters<typeof link.open>[0]) => {
        visit += 1;
        lied = false;
        return link.open(events);
      },
    };
    const keys = { key: KEY, authKey: AUTH_KEY };
    const config = { id: 'm', address: '', intervalMs: 1000, timeZone: ZONE, settings, ...keys };
    const dlms: DlmsOptions = {
      ...DLMS_DEFAULTS,
      carrier: 'wrapper',
      protection: 'both',
      answerMs: 10_000,
      repeats,
    };
    const meter = METER_PROTOCOLS.dlms({ ...config, dlms }, counted, clock);
    meter.open({
      measured: () => {},
      flexibility: () => {},
      status: () => {},
      health: (h) => void health.push(h),
      fault: (f) => void faults.push(f.code),
    });
    await until('the last visit', () => visit >= lies.length);
    await meter.close();
    return { faults, health: health.at(-1) };
  };
  // The counter that the next GET would have, and one further on.
  t.same(await visits([(n) => n + 1, null, (n) => n + 5, null], 0), {
    faults: ['TIMEOUT', 'TIMEOUT'],
    health: 'ok',
  });
  // Nearly the last counter of all; behind the last one there is none.
  t.same(await visits([() => 0xffff_fff0, () => 0xffff_ffff, null], 1), {
    faults: ['TIMEOUT', 'REFUSED'],
    health: 'ok',
  });
  const used = new Map<number, string>();
  for (const [counter, under] of countersIn(frames)) {
    t.equal(used.get(counter) ?? under, under, `counter ${counter}`);
    used.set(counter, under);
  }
  t.ok(used.size > 10 && Math.max(...used.keys()) > 0xffff_fff0, `${used.size} counters`);
});

const word = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};
