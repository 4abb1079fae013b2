import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { test } from 'tap';
import { configCheck } from '../firmware/commands/config.ts';
import { checkConfig, loadConfig } from '../firmware/config/check.ts';
import { readSecrets, Secret } from '../firmware/config/secrets.ts';
import { example, exampleJson, mistakesOf } from './config-example.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-config-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, text);
  return file;
}

test('the example of the board is right', async (t) => {
  t.match(loadConfig(example), { ok: true });
});

test('every mistake is named by its path, with what was expected and what stood there, all at once', async (t) => {
  const config = exampleJson();
  config.site.timeZone = 'Mars/Olympus';
  config.site.fuse_A = 5;
  delete config.store;
  config.meters[0].link.baudRate = 'fast';
  config.meters[0].link.baudrate = 9600;
  config.meters[0].colour = 'red';
  config.devices[0].profile = 'toaster';
  config.devices[1].deadline = { time: '25:00', energy_Wh: 1, from: '6 pm' };
  config.devices[1].id = 'grid';
  config.devices[1].link.port = { deep: 'x'.repeat(100) };
  config.mqtt.password = 'hunter2';
  const mistakes = mistakesOf(config);
  t.match(mistakes, {
    'site.timeZone': /^expected an IANA time zone such as Europe\/Berlin, got "Mars\/Olympus"$/,
    'site.fuse_A': /expected number to be >=6, got 5/,
    store: /^missing: expected object/,
    'meters[0].link.baudRate': /^expected one of 300, .*, got "fast"$/,
    'meters[0].link.baudrate': /did you mean "baudRate"/,
    'meters[0].colour': /^expected no such key; known here: id, name, protocol/,
    'devices[0].profile': /^expected one of .*relay-heater/,
    'devices[1].deadline.time': /^expected HH:MM, got "25:00"$/,
    'devices[1].deadline.from': /^expected HH:MM, got "6 pm"$/,
    'devices[1].id': /^expected a name of its own, "grid" is meters\[0\]$/,
    'devices[1].link.port': /, got .{57}…$/,
    'mqtt.password': /^expected \{"file": path\} or \{"env": NAME\}$/,
  });
  t.equal(Object.keys(mistakes).length, 12);
  t.notMatch(JSON.stringify(mistakes), 'hunter2', 'a secret is never repeated');
});

test('a grid meter that is asked is asked before it counts as silent', async (t) => {
  const config = exampleJson();
  Object.assign(config.meters[0], { protocol: 'iec62056-21', link: { kind: 'tcp', host: 'a', port: 1 } });
  t.same(mistakesOf(config), {}, 'by itself often enough');
  config.meters[0].intervalMs = 60_000;
  t.match(mistakesOf(config), { 'meters[0].intervalMs': /half of site\.staleAfterMs \(30000\).*got 60000$/ });
  config.site.staleAfterMs = 120_000;
  t.same(mistakesOf(config), {});
  delete config.site.staleAfterMs;
  config.meters[0].intervalMs = 15_000;
  t.same(mistakesOf(config), {});
});

test('a key that another kind of link has', async (t) => {
  const config = exampleJson();
  config.meters[0].link = { kind: 'tcp', host: 'a', port: 1, baudRate: 9600 };
  t.match(mistakesOf(config), {
    'meters[0].link.baudRate': /^expected no such key; it belongs to another kind$/,
  });
});

test('a line of its own for whoever cannot share one', async (t) => {
  const config = exampleJson();
  const [meter] = config.meters;
  config.meters.push({ ...meter, id: 'second', role: 'sub' });
  config.meters.push({ ...meter, id: 'third', role: 'grid', link: { kind: 'tcp', host: 'a', port: 1 } });
  config.devices[1].link = config.devices[0].link;
  config.devices[1].unitId = 2;
  t.match(mistakesOf(config), {
    'meters[1].link': /^expected a line of its own, \/dev\/ttyUSB0 is taken by meters\[0\]$/,
    'meters[2].role': /^expected "sub": meters\[0\] is the meter at the grid connection$/,
  });
  const radio = { kind: 'serial', path: '/dev/ttyUSB1', baudRate: 57600 };
  const water = { name: 'Water', protocol: 'wmbus', role: 'sub', receiver: 'im871a', link: radio };
  config.meters = [
    { ...water, id: 'a', address: '12345678' },
    { ...water, id: 'b', address: 'KAM 87654321' },
  ];
  t.same(mistakesOf(config), {}, 'one radio receiver serves many, one Modbus line as well');
  config.meters.push({ ...meter, link: radio });
  t.match(mistakesOf(config), { 'meters[2].link': /taken by meters\[0\]/ });
  const dlms = { id: 'a', name: 'Grid', protocol: 'dlms', link: radio };
  config.meters = [{ ...dlms, dlms: { mechanism: 'gmac' } }];
  t.match(mistakesOf(config), { 'meters[0].key': /gmac needs both/, 'meters[0].authKey': /needs both/ });
  config.meters = [{ ...dlms, dlms: { mechanism: 'low' } }];
  t.match(mistakesOf(config), { 'meters[0].dlms.password': /password/ });
  config.meters = [{ ...dlms }];
  t.same(mistakesOf(config), {}, 'the public client needs no secret');
  config.meters = [{ id: 'a', name: 'Water', protocol: 'wmbus', address: 'twelve', link: radio }];
  t.match(mistakesOf(config), { 'meters[0].address': /eight digits/, 'meters[0].receiver': /make/ });
});

test('a missing file, one that is too large, no JSON, nothing that could be a configuration', async (t) => {
  t.match(loadConfig('/nowhere.json'), { ok: false, mistakes: [{ path: '/nowhere.json' }] });
  t.match(loadConfig(written('large.json', ' '.repeat(1024 * 1024 + 1))), {
    mistakes: [{ message: /at most 1048576 bytes/ }],
  });
  const cut = loadConfig(written('cut.json', '{"mqtt": {"password": hunter2}}'));
  t.match(cut, { ok: false, mistakes: [{ message: /^expected JSON: / }] });
  t.notMatch(JSON.stringify(cut), 'hunter2');
  for (const json of [null, 1, 'x', [], { meters: 7, devices: [null, 3] }])
    t.ok(Object.keys(mistakesOf(json)).length > 0, JSON.stringify(json));
});

test('secrets: all that are missing at once, keys of the right length, shown to nobody', async (t) => {
  const config = exampleJson();
  config.meters[0].key = { env: 'METER_KEY' };
  config.meters[0].authKey = { file: 'auth-key' };
  config.web.metricsToken = { file: 'token' };
  const checked = checkConfig(config);
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes));
  t.match(readSecrets(checked.config, dir, {}), {
    ok: false,
    mistakes: [
      {
        path: 'mqtt.password',
        message: 'expected the file mqtt-password, which is not there, empty or too long',
      },
      { path: 'web.metricsToken' },
      { path: 'meters[0].key', message: 'expected the variable METER_KEY, which is not set' },
      { path: 'meters[0].authKey' },
    ],
  });
  written('mqtt-password', 'hunter2\n');
  written('token', 'x'.repeat(5000));
  written('auth-key', 'not a key');
  const METER_KEY = '00112233445566778899aabbccddeeff';
  t.match(readSecrets(checked.config, dir, { METER_KEY }), {
    mistakes: [
      { path: 'web.metricsToken' },
      { path: 'meters[0].authKey', message: 'expected a key of 32 hexadecimal digits' },
    ],
  });
  written('token', 'abc');
  written('auth-key', METER_KEY);
  const read = readSecrets(checked.config, dir, { METER_KEY });
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  const secret = read.secrets.get('mqtt.password');
  t.equal(secret?.reveal(), 'hunter2');
  for (const shown of [inspect(read, { depth: 9 }), JSON.stringify([...read.secrets]), `${secret}`])
    t.notMatch(shown, 'hunter2');
  t.equal(`${new Secret('x')}`, '[secret]');
});

test('hearth config check: what is wrong, and 1; or that all is there, and 0', async (t) => {
  const run = (file: string, env: NodeJS.ProcessEnv = {}) => {
    let said = '';
    const write = (text: string): void => {
      said += text;
    };
    return { code: configCheck(file, { write }, env), said };
  };
  const config = exampleJson();
  config.mqtt.password = { env: 'BROKER' };
  const file = written('hearth.json', JSON.stringify(config));
  t.same(run(file, { BROKER: 'hunter2' }), { code: 0, said: `${file}: ok, 1 meter(s), 2 device(s)\n` });
  t.same(run(file), { code: 1, said: 'mqtt.password: expected the variable BROKER, which is not set\n' });
  config.meters[0].protocol = 'p1';
  t.match(run(written('wrong.json', JSON.stringify(config))), {
    code: 1,
    said: /^meters\[0\]\.protocol: expected one of /,
  });
});

test('what would not work as it is written: cheap for ever, one address twice, a failsafe of nobody', async (t) => {
  const config = exampleJson();
  const [first] = config.devices;
  const evening = { time: '18:00', energy_Wh: 5000, from: '18:00' };
  t.match(mistakesOf({ ...config, devices: [{ ...first, mode: 'cheap', deadline: evening }] }), {
    'devices[0].deadline.from': /^expected another time/,
  });
  config.devices = [
    { ...first, mode: 'cheap', deadline: null },
    { ...first, id: 'second', mode: 'always' },
    { ...first, id: 'third', mode: 'solar', unitId: 2 },
  ];
  delete config.mqtt;
  config.failsafe = { limit_W: 4200, afterMs: 120_000 };
  const mistakes = mistakesOf(config);
  t.match(mistakes, {
    'devices[0].deadline': /^expected .*energy_Wh.* with mode "cheap"/,
    'devices[1].unitId': /^expected a unit of its own, 1 on .* is devices\[0\]$/,
    failsafe: /^expected "mqtt" beside it/,
  });
  t.equal(Object.keys(mistakes).length, 3);
});

test('what a device stores: defaults, and every way in which it makes no sense', async (t) => {
  const config = exampleJson();
  const [first] = config.devices;
  const link = (host: string) => ({ kind: 'tcp', host, port: 502 });
  const battery = { capacity_Wh: 10_000, charge_W: 5000, discharge_W: 4000 };
  const device = (profile: string, more: object) => ({
    id: 'd',
    name: 'D',
    profile,
    link: link('192.0.2.99'),
    ...more,
  });
  const checked = (row: object) => {
    const result = checkConfig({ ...config, devices: [first, row] });
    return result.ok
      ? result.config.devices[1]
      : Object.fromEntries(result.mistakes.map((m) => [m.path, m.message]));
  };
  t.match(checked(device('battery-register', { mode: 'cheap', battery })), {
    deadline: null,
    battery: {
      leastShare: 0.1,
      mostShare: 1,
      chargeEfficiency: 0.95,
      dischargeEfficiency: 0.95,
      wear_perKWh: 0.02,
      gridCharge: true,
      gridDischarge: false,
    },
  });
  const tank = { what: 'tank', litres: 300 };
  t.match(checked(device('heat-pump-levels', { mode: 'cheap', heat: tank, levels_W: [1800, 2500] })), {
    heat: tank,
  });
  t.match(checked(device('relay-heater-tank', { mode: 'solar', heat: { ...tank, most_C: null } })), {
    id: 'd',
  });
  const row = (from: string, lo_C: number, hi_C: number) => ({ from, lo_C, hi_C });
  for (const [profile, more, path, said] of [
    ['battery-register', {}, 'battery', /^missing: expected \{"capacity_Wh"/],
    [
      'battery-register',
      { battery: { ...battery, leastShare: 1 } },
      'battery.leastShare',
      /less than mostShare/,
    ],
    [
      'battery-register',
      { battery: { ...battery, leastShare: 0.5, mostShare: 0.52 } },
      'battery.leastShare',
      /at least 0\.05 less than mostShare/,
    ],
    ['battery-register', { battery: { ...battery, mostShare: 1.2 } }, 'battery.mostShare', /<=1, got 1\.2/],
    [
      'battery-register',
      { battery: { ...battery, chargeEfficiency: 95 } },
      'battery.chargeEfficiency',
      /<=1/,
    ],
    [
      'battery-register',
      { battery: { ...battery, capacity_Wh: 10 } },
      'battery.capacity_Wh',
      />=100, got 10/,
    ],
    [
      'battery-register',
      { battery: { ...battery, chargeW: 10 } },
      'battery.chargeW',
      /did you mean "charge_W"/,
    ],
    ['battery-register', { battery: { capacity_Wh: 9000, charge_W: 50 } }, 'battery.discharge_W', /^missing/],
    ['battery-sunspec', { battery, heat: tank }, 'heat', /does not measure a temperature/],
    ['battery-sunspec', { battery, deadline: { time: '07:00', energy_Wh: 5 } }, 'deadline', /^expected none/],
    ['wallbox-current', { battery }, 'battery', /not of a battery/],
    ['relay-heater', { heat: tank }, 'heat', /does not measure a temperature/],
    ['relay-heater-tank', { mode: 'cheap' }, 'deadline', /energy_Wh/],
    ['relay-heater-tank', { levels_W: [2000] }, 'levels_W', /has no levels/],
    ['heat-pump-levels', { levels_W: [2000] }, 'levels_W', /^expected 2 powers/],
    ['heat-pump-levels', { levels_W: [2000, 1000] }, 'levels_W', /rising/],
    ['heat-pump-levels', { heat: { what: 'tank' } }, 'heat.capacity_WhPerK', /litres or capacity_WhPerK/],
    ['heat-pump-levels', { heat: { what: 'house' } }, 'heat.capacity_WhPerK', /how much it holds/],
    [
      'heat-pump-levels',
      { heat: { what: 'house', litres: 300 } },
      'heat.litres',
      /capacity_WhPerK for a house/,
    ],
    ['heat-pump-levels', { heat: { ...tank, capacity_WhPerK: 300 } }, 'heat.litres', /not both/],
    ['heat-pump-levels', { heat: { ...tank, comfort: [] } }, 'heat.comfort', />=1/],
    [
      'heat-pump-levels',
      { heat: { ...tank, comfort: [row('6:00', 40, 50)] } },
      'heat.comfort[0].from',
      /HH:MM/,
    ],
    [
      'heat-pump-levels',
      { heat: { ...tank, comfort: [row('06:00', 50, 50)] } },
      'heat.comfort[0].lo_C',
      /less than hi_C/,
    ],
    [
      'heat-pump-levels',
      { heat: { ...tank, comfort: [row('06:00', 40, 50), row('06:00', 41, 50)] } },
      'heat.comfort',
      /each later/,
    ],
    [
      'heat-pump-levels',
      { heat: { ...tank, comfort: [row('06:00', 40, 60)] } },
      'heat.most_C',
      /above the hi_C/,
    ],
    ['heat-pump-levels', { heat: { ...tank, most_C: 55 } }, 'heat.most_C', /above the hi_C/],
    [
      'heat-pump-levels',
      {
        heat: {
          ...tank,
          cop: [
            { outdoor_C: 7, cop: 3 },
            { outdoor_C: -7, cop: 2 },
          ],
        },
      },
      'heat.cop',
      /each warmer/,
    ],
    ['heat-pump-levels', { heat: { ...tank, cop: [{ outdoor_C: 7, cop: 30 }] } }, 'heat.cop[0].cop', /<=12/],
  ] as const)
    t.match(
      checked(device(profile, more)),
      { [`devices[1].${path}`]: said },
      `${profile} ${JSON.stringify(more)}`,
    );
});

test('an inverter and the battery on it share a unit; nothing else does', async (t) => {
  const config = exampleJson();
  const battery = { capacity_Wh: 10_000, charge_W: 5000, discharge_W: 4000 };
  const unit = { name: 'D', link: { kind: 'tcp', host: '192.0.2.50', port: 502 } };
  const roof = { ...unit, id: 'hybrid', profile: 'inverter-sunspec' };
  const cells = { ...unit, id: 'cells', profile: 'battery-sunspec-124', battery };
  const of = (...devices: object[]): string[] => Object.keys(mistakesOf({ ...config, devices }));
  t.same(of(roof, cells), []);
  t.same(of(roof, { ...roof, id: 'again' }), ['devices[1].unitId']);
  t.same(of(roof, cells, { ...cells, id: 'again' }), ['devices[2].unitId']);
  t.same(of(cells, { ...unit, id: 'boiler', profile: 'relay-heater' }), ['devices[1].unitId']);
});

test('the program of an appliance: what it is by itself, and every way in which it makes no sense', async (t) => {
  const config = exampleJson();
  const row = {
    id: 'dishwasher',
    name: 'Dishwasher',
    profile: 'relay-appliance',
    link: { kind: 'tcp', host: '192.0.2.40', port: 502 },
    program: [
      { minutes: 20, power_W: 2000 },
      { minutes: 50, power_W: 0 },
    ],
  };
  const { program: steps, ...bare } = row;
  const of = (device: object) => mistakesOf({ ...config, devices: [device] });
  t.same(of(row), {});
  t.same(of({ ...row, mode: 'cheap' }), {}, 'cheap by itself knows no deadline');
  const mode = (device: object): string | null => {
    const checked = checkConfig({ ...config, devices: [device] });
    return checked.ok ? (checked.config.devices[0]?.mode ?? null) : null;
  };
  t.equal(mode(row), 'cheap');
  t.equal(mode({ ...row, mode: 'solar' }), 'solar');
  t.equal(mode({ ...bare, profile: 'relay-heater' }), 'always');
  const wrong: readonly (readonly [object, string, RegExp])[] = [
    [bare, 'program', /^missing: expected what it does, \[\{"minutes"/],
    [{ ...row, profile: 'relay-heater' }, 'program', /^expected none: the profile is not of an appliance$/],
    [{ ...row, deadline: { time: '18:00', energy_Wh: 900 } }, 'deadline', /^expected none: its owner asks/],
    [{ ...row, rated_W: 2000 }, 'rated_W', /^expected none: the highest power/],
    [{ ...row, program: [] }, 'program', />=1/],
    [{ ...row, program: [{ minutes: 5, power_W: 0 }] }, 'program', /at least one step that draws power/],
    [{ ...row, program: new Array(33).fill(steps[0]) }, 'program', /<=32/],
    [{ ...row, program: new Array(25).fill({ minutes: 60, power_W: 9 }) }, 'program', /at most 24 hours/],
    [{ ...row, program: [{ minutes: 0, power_W: 9 }] }, 'program[0].minutes', />=1/],
    [{ ...row, program: [{ minutes: 1.5, power_W: 9 }] }, 'program[0].minutes', /int/],
    [{ ...row, program: [{ minutes: 5, power_W: -9 }, steps[0]] }, 'program[0].power_W', />=0/],
    [{ ...row, program: [{ minutes: 5, power_W: 20_001 }] }, 'program[0].power_W', /<=20000/],
    [{ ...row, program: [{ minutes: 5, power_W: 9, watts: 1 }] }, 'program[0].watts', /no such key/],
  ];
  for (const [device, key, message] of wrong) {
    const mistakes = of(device);
    t.same(Object.keys(mistakes), [`devices[0].${key}`], JSON.stringify(device));
    t.match(mistakes[`devices[0].${key}`], message);
  }
});

test('the row that board/appliances.md shows is right', async (t) => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../board/appliances.md'), 'utf8');
  const rows = [...text.matchAll(/```json\n([^`]*)```/g)].map(([, row]) => JSON.parse(row ?? ''));
  t.equal(rows.length, 1);
  const config = exampleJson();
  t.same(mistakesOf({ ...config, devices: [...config.devices, ...rows] }), {});
});

test('the rows that board/stores.md shows are right', async (t) => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../board/stores.md'), 'utf8');
  const rows = [...text.matchAll(/```json\n([^`]*)```/g)].map(([, row]) => JSON.parse(row ?? ''));
  t.equal(rows.length, 2);
  const config = exampleJson();
  t.same(mistakesOf({ ...config, devices: [...config.devices, ...rows] }), {});
});
