/** The house for an administrator's monitoring: what is known, under names and labels that stay, and nothing else. */
import { test } from 'tap';
import { metricsText } from '../../firmware/web/metrics.ts';
import { HandClock } from './clock.ts';
import { Home, STORAGE } from './home.ts';
import { withStores } from './stores.ts';

const facts = { version: '1.2"3', resident_bytes: 1 };

test('every family is described once, and every line is a sample', async (t) => {
  const lines = metricsText(withStores(new Home(new HandClock()).snapshot()), STORAGE, facts)
    .trimEnd()
    .split('\n');
  const sample = /^hearth_[a-z_]+(\{[a-z]+="([^"\\\n]|\\.)*"(,[a-z]+="([^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+$/;
  t.same(
    lines.filter((line) => !line.startsWith('# ') && !sample.test(line)),
    [],
  );
  const names = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  t.equal(new Set(names).size, names.length);
  for (const line of [
    'hearth_grid_power_watts 3840',
    'hearth_limit_watts{direction="import",scope="site",signal="limit-1"} 4200',
    'hearth_device_power_watts{device="battery"} 1200',
    'hearth_battery_fill_ratio{device="battery"} 0.68',
    'hearth_heat_temperature_celsius{device="floor"} 20.8',
    'hearth_meter_faults_total{meter="heat",code="TIMEOUT"} 61',
    'hearth_build_info{version="1.2\\"3"} 1',
  ])
    t.ok(lines.includes(line), line);
});

test('what is unknown or too old is no number', async (t) => {
  const given = withStores(new Home(new HandClock()).snapshot(), null, null);
  const { image } = given;
  const old = { value: 3840, ageMs: image.site.staleAfterMs + 1 };
  const devices = image.devices.map((d) => (d.id === 'wallbox' ? { ...d, power_W: old } : d));
  const text = metricsText({ ...given, image: { ...image, grid_W: old, devices } }, STORAGE, facts);
  t.notMatch(text, /hearth_grid_power_watts/);
  t.notMatch(text, /hearth_battery_fill_ratio/);
  t.notMatch(text, /power_watts\{device="(wallbox|battery)"\}/);
  t.match(text, /power_watts\{device="solar"\} -2140/);
});
