/** What a house is composed on. */
import type { MeterConfig } from '../adapters/registry.ts';
import type { Config } from '../config/schema.ts';
import type { Link } from '../domain/link.ts';
import type { Random } from '../domain/random.ts';
import type { Storage } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import type { SignalTransport } from '../domain/transport.ts';
import type { PlanMaker } from '../policy/planner/planner.ts';

/** What the gateway runs on: a real board, the demo home's machine, or a simulation. */
export interface Board {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  /** The link of a meter or device of the configuration. */
  readonly link: (spec: Config['meters'][number]['link']) => Link;
  /** Null when no operator is configured. */
  readonly transport: SignalTransport | null;
  readonly feedWatchdog: () => void;
  /** Makes the house's plans; absent: no planner, the rules alone. */
  readonly makePlan?: PlanMaker;
  /** Secrets by the id of the meter, already read. */
  readonly keys: ReadonlyMap<string, Pick<MeterConfig, 'key' | 'authKey' | 'password'>>;
}
