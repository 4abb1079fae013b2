/** The home with a washing machine that has a program: asked for nothing, for one run, or in the middle of it. */
import type { Program } from '../../firmware/domain/flexibility.ts';
import type {
  DeviceDecision,
  DeviceImage,
  Override,
  ProgramRun,
  Snapshot,
} from '../../firmware/domain/image.ts';
import type { Reason } from '../../firmware/domain/instruction.ts';
import { device, flexibility } from './house.ts';

const MINUTE = 60_000;

/** Heats, washes, rinses, spins: 110 minutes, 827 Wh. */
export const PROGRAM: Program = {
  steps: [
    { forMs: 20 * MINUTE, power_W: 2000 },
    { forMs: 60 * MINUTE, power_W: 80 },
    { forMs: 20 * MINUTE, power_W: 0 },
    { forMs: 10 * MINUTE, power_W: 480 },
  ],
};

export interface Washing {
  readonly run?: ProgramRun;
  readonly override?: Override;
  readonly power_W?: number | null;
  readonly reasons?: readonly Reason[];
  readonly planned?: DeviceDecision['planned'];
  /** Decided; when absent, on as soon as it has begun. */
  readonly setPoint_W?: number;
  readonly more?: Partial<DeviceImage>;
}

export function washer({ run, override, power_W = 0, more = {} }: Washing): DeviceImage {
  const given = flexibility({
    ...{ kind: 'appliance', name: 'Washing machine', controlType: 'POWER_PROFILE_BASED_CONTROL' },
    ...{
      ranges: [
        { min_W: 0, max_W: 0 },
        { min_W: 2000, max_W: 2000 },
      ],
      program: PROGRAM,
    },
  });
  return {
    ...device('washer', power_W, given, override ?? { kind: 'automatic' }),
    ...(run && { run }),
    ...more,
  };
}

export function withProgram(snapshot: Snapshot, washing: Washing = {}): Snapshot {
  const { image, decision } = snapshot;
  const { reasons = [], planned = [] } = washing;
  const { setPoint_W = washing.run?.doneMs == null ? 0 : 2000 } = washing;
  const decided = { resource: 'washer', setPoint_W, reasons, planned };
  return {
    ...snapshot,
    image: { ...image, devices: [washer(washing), ...image.devices] },
    decision: decision && { ...decision, devices: [decided, ...decision.devices] },
  };
}
