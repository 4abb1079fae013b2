/**
 * From a plan in means to modes: what the planner meant by a power is read from what it planned at the connection in the
 * same slot. A battery that charges while nothing is imported is meant to take the surplus, not that number of watts.
 */
import type { HeatLevel, Mode, ModeSlot, Modes, PlannedDevice, PlannedSlot } from '../../domain/mode.ts';
import { HEAT_LEVELS, levelPower_W } from './heat-levels.ts';

/** Less than this is nothing: the planner's rounding. */
const NOTHING_W = 20;

export function modesOf(slots: readonly PlannedSlot[]): Modes {
  const modes: Record<string, ModeSlot[]> = {};
  for (const { fromMs, untilMs, grid_W, devices } of slots) {
    for (const [id, device] of Object.entries(devices)) {
      const list = modes[id] ?? [];
      list.push({ fromMs, untilMs, mode: MEANINGS[device.is](device, grid_W) });
      modes[id] = list;
    }
  }
  return modes;
}

const MEANINGS: Readonly<Record<PlannedDevice['is'], (device: PlannedDevice, grid_W: number) => Mode>> = {
  battery: ({ power_W }, grid_W) => batteryMode(power_W, grid_W),
  car: ({ power_W }, grid_W) => {
    if (power_W <= NOTHING_W) return { kind: 'off' };
    return grid_W <= NOTHING_W ? { kind: 'surplus' } : { kind: 'charge', upTo_W: power_W };
  },
  heat: heatMode,
  load: ({ power_W }) => (power_W > NOTHING_W ? { kind: 'run', upTo_W: power_W } : { kind: 'off' }),
  // Turned down for what is fed in, not for what the house takes.
  solar: ({ power_W, most_W }, grid_W) =>
    -power_W < most_W - NOTHING_W ? { kind: 'gridTarget', grid_W } : { kind: 'produce', upTo_W: Infinity },
};

function batteryMode(power_W: number, grid_W: number): Mode {
  const imports = grid_W > NOTHING_W;
  const exports = grid_W < -NOTHING_W;
  if (power_W > NOTHING_W) {
    if (imports) return { kind: 'charge', upTo_W: power_W };
    // What is fed in beside it is meant to be: the rest is kept for later.
    return exports ? { kind: 'selfConsume', chargeUpTo_W: power_W } : { kind: 'selfConsume' };
  }
  if (power_W < -NOTHING_W) {
    if (exports) return { kind: 'discharge', target_W: -power_W };
    return imports ? { kind: 'selfConsume', dischargeUpTo_W: -power_W } : { kind: 'selfConsume' };
  }
  if (imports) return { kind: 'selfConsume', dischargeUpTo_W: 0 };
  return exports ? { kind: 'selfConsume', chargeUpTo_W: 0 } : { kind: 'selfConsume' };
}

/** The level next to what is planned; beyond the comfort band only where that is meant. */
function heatMode({ power_W, most_W, levels_W, isBeyondBand = false }: PlannedDevice): Mode {
  if (power_W <= NOTHING_W) return { kind: 'heat', level: 'off' };
  if (levels_W === undefined) {
    const within = power_W >= most_W / 2 ? 'normal' : 'reduced';
    return { kind: 'heat', level: isBeyondBand ? 'boost' : within, upTo_W: power_W };
  }
  if (isBeyondBand) return { kind: 'heat', level: 'boost' };
  const off_W = (level: HeatLevel): number => Math.abs(levelPower_W(levels_W, level) - power_W);
  return {
    kind: 'heat',
    level: HEAT_LEVELS.reduce((best, level) => (off_W(level) < off_W(best) ? level : best)),
  };
}
