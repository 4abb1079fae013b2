/** The last weeks of a gateway, by its configuration, as days to simulate. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { siteOf } from '../compose.ts';
import { loadConfig } from '../config/check.ts';
import { batteryStoreOf } from '../config/store.ts';
import { HearthError, type Result } from '../domain/errors.ts';
import { systemClock } from '../hal/clock.ts';
import { type OwnDays, ownDays } from '../policy/simulation/own-days.ts';
import { openStore } from '../store/index.ts';

/**
 * Reads a copy of the store: the gateway may be running on it. SCENARIO_INVALID where it does not hold enough.
 * @throws HearthError CONFIG_INVALID
 */
export function ownOf(file: string, isPricedElsewhere: boolean): Result<OwnDays> {
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new HearthError('CONFIG_INVALID', loaded.mistakes[0]?.message ?? file);
  const { config } = loaded;
  const gridMeter = config.meters.find((m) => m.role === 'grid')?.id;
  if (gridMeter === undefined) throw new HearthError('CONFIG_INVALID', 'no meter at the connection');
  const database = path.resolve(path.dirname(path.resolve(file)), config.store.path);
  const folder = mkdtempSync(path.join(tmpdir(), 'hearth-'));
  const clock = systemClock();
  try {
    const copy = path.join(folder, 'copy.db');
    for (const end of ['', '-wal']) if (existsSync(database + end)) copyFileSync(database + end, copy + end);
    const storage = openStore(copy, { clock, timeZone: config.site.timeZone });
    try {
      const devices = config.devices.map(({ id, name, deadline, battery }) => ({
        ...{ id, name, deadline },
        battery: battery ? batteryStoreOf(battery) : null,
      }));
      const stored = { series: storage.series, signals: storage.signals.load(0), site: siteOf(config) };
      return ownDays({ ...stored, gridMeter, devices, isPricedElsewhere }, clock.wallMs());
    } finally {
      storage.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
