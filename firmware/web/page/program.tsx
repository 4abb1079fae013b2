/** What an appliance does in a run: a bar as long and as high as each step, and how far it is. */
import type { DeviceView } from '../schema.ts';

type Course = NonNullable<DeviceView['program']>;

const WIDTH = 240;
const HEIGHT = 40;
/** A pause is seen, too. */
const LEAST = 2;

export function Program({ program }: { program: Course }) {
  const { run, sentence } = program;
  return (
    <div class="program">
      <Steps program={program} />
      <p class="fine">{run ? run.sentence : sentence}</p>
    </div>
  );
}

/** The sentence below says the same. */
function Steps({ program: { steps, lengthMs, run } }: { program: Course }) {
  const doneMs = run?.doneMs ?? null;
  const most_W = Math.max(1, ...steps.map((step) => step.power_W));
  const x = (atMs: number): number => (atMs / lengthMs) * WIDTH;
  const bars = steps.map(({ forMs, power_W }, index) => {
    const fromMs = steps.slice(0, index).reduce((sum, step) => sum + step.forMs, 0);
    const done = Math.min(forMs, Math.max(0, (doneMs ?? 0) - fromMs));
    const high = Math.max(LEAST, (power_W / most_W) * (HEIGHT - 4));
    return { fromMs, forMs, done, y: HEIGHT - high, height: high };
  });
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map(({ fromMs, forMs, done, ...bar }) => (
        <g key={fromMs}>
          <rect class="step" x={x(fromMs)} width={x(forMs)} {...bar} />
          {done > 0 && <rect class="step done" x={x(fromMs)} width={x(done)} {...bar} />}
        </g>
      ))}
      {doneMs !== null && (
        <line
          class="mark"
          x1={x(doneMs)}
          x2={x(doneMs)}
          y1="0"
          y2={HEIGHT}
          vector-effect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}
