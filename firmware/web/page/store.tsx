/** What a battery or a tank holds: a bar with the reserve, or with the band that is wanted. */
import type { ComponentChildren } from 'preact';
import type { DeviceView } from '../schema.ts';

type Held = NonNullable<DeviceView['store']>;

const WIDTH = 240;
const HEIGHT = 22;

export function Store({ store }: { store: Held }) {
  return (
    <div class="store">
      {store.kind === 'battery' ? <Charge store={store} /> : <Warmth store={store} />}
      <p class="fine">{store.sentence}.</p>
    </div>
  );
}

function Charge({ store: { fill, leastFill } }: { store: Extract<Held, { kind: 'battery' }> }) {
  const isLow = fill !== null && fill <= leastFill;
  return (
    <Bar>
      {fill !== null && <rect class={isLow ? 'held low' : 'held'} width={WIDTH * fill} height={HEIGHT} />}
      {leastFill > 0 && <Mark at={leastFill} />}
    </Bar>
  );
}

function Warmth({ store: { temperature_C, lo_C, hi_C } }: { store: Extract<Held, { kind: 'heat' }> }) {
  if (lo_C === null || hi_C === null) return null;
  // The band takes the middle half of the bar.
  const margin = Math.max(1, hi_C - lo_C) / 2;
  const at = (value_C: number): number =>
    Math.min(1, Math.max(0, (value_C - lo_C + margin) / (hi_C - lo_C + 2 * margin)));
  return (
    <Bar>
      <rect class="band" x={WIDTH * at(lo_C)} width={WIDTH * (at(hi_C) - at(lo_C))} height={HEIGHT} />
      {temperature_C !== null && (
        <rect
          class={temperature_C < lo_C ? 'warm low' : 'warm'}
          x={Math.min(WIDTH - 6, Math.max(0, WIDTH * at(temperature_C) - 3))}
          width="6"
          height={HEIGHT}
          rx="3"
        />
      )}
    </Bar>
  );
}

/** The sentence below says the same. */
function Bar({ children }: { children: ComponentChildren }) {
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="empty" width={WIDTH} height={HEIGHT} />
      {children}
    </svg>
  );
}

const Mark = ({ at }: { at: number }) => (
  <line class="mark" x1={WIDTH * at} x2={WIDTH * at} y1="0" y2={HEIGHT} />
);
