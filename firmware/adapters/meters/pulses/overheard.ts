/** Two ports of one meter: the pulses of one are held against the register that the other one shows. */
import type { Measurement } from '../../../domain/measurement.ts';
import type { ResourceManager } from '../../../domain/resource-manager.ts';

export type Listener = (measurements: readonly Measurement[]) => void;

/** Who listens to the measurements of another meter, by its id. */
export class Listeners {
  private readonly byId = new Map<string, Listener[]>();

  add(id: string, listener: Listener): void {
    this.byId.set(id, [...(this.byId.get(id) ?? []), listener]);
  }

  /** The same resource manager, whose measurements the listeners of its id hear too. */
  overheard(resource: ResourceManager): ResourceManager {
    return {
      id: resource.id,
      open: (events) =>
        resource.open({
          ...events,
          measured: (measurements) => {
            events.measured(measurements);
            for (const listener of this.byId.get(resource.id) ?? []) listener(measurements);
          },
        }),
      instruct: (instruction) => resource.instruct(instruction),
      close: () => resource.close(),
    };
  }
}
