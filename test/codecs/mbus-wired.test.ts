/** The wired M-Bus master as machines, against a bus that speaks the bytes; on simulated time. */
import { test } from 'tap';
import { MbusBus } from '../../firmware/adapters/meters/mbus/bus.ts';
import { newSearch, step as searchStep } from '../../firmware/codecs/mbus/search.ts';
import { ANYBODY } from '../../firmware/codecs/mbus/secondary.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { MbusTwin, type MbusTwinMeter, twinMeter } from '../twins/mbus-line.ts';

function busWith(meters: readonly MbusTwinMeter[]) {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const { link, twin: end } = simulatedLine(clock, 'line');
  const twin = new MbusTwin(meters, { clock, write: (bytes) => end.write(bytes) });
  end.onBytes((bytes) => twin.take(bytes));
  const bus = new MbusBus(link, clock, { latencyMs: null });
  return { clock, twin, bus };
}

async function finish<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let over = false;
  const end = work.finally(() => {
    over = true;
  });
  while (!over) await clock.advanceTo(clock.elapsedMs() + 1000);
  return end;
}

const search = (bus: MbusBus) =>
  bus.run({ start: newSearch(), step: (s, o) => searchStep(s, o, { mask: ANYBODY }) }, 2400);

test('x', async (_t) => {
  const random = seededRandom(5);
  for (const kind of ['random', 'serial', 'clusters']) {
    const meters = Array.from({ length: 250 }, (_, i) => {
      const n =
        kind === 'random'
          ? Math.floor(random.next() * 1e8)
          : kind === 'serial'
            ? 21_340_500 + i
            : 67_000_000 + (i % 5) * 100_000 + Math.floor(random.next() * 3000);
      return twinMeter(String(n).padStart(8, '0'));
    });
    const { bus, twin, clock } = busWith(meters);
    const started = performance.now();
    const end = await finish(clock, search(bus));
    const unique = new Set(meters.map((m) => m.id)).size;
    console.log(
      kind,
      'unique',
      unique,
      'found',
      end.found.size,
      'requests',
      end.requests,
      twin.requests.length,
      'troubled',
      end.troubled,
      end.sweeps,
      'simulated s',
      clock.elapsedMs() / 1000,
      'ms',
      performance.now() - started,
      end.unresolved.length,
    );
  }
});
