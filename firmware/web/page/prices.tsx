/** The price of today and tomorrow, and when each device is meant to run. */
import { localMs } from '../../domain/calendar.ts';
import type { Prices } from '../schema.ts';
import { clock, dayWord, price } from './format.ts';
import { Lanes } from './lanes.tsx';
import { usePick } from './pick.ts';
import { useWidth } from './width.ts';

const HEIGHT = 150;
const FOOT = 20;
const HOUR_MS = 3_600_000;

type Slot = Prices['slots'][number];

export function PriceCurve({ prices, nowMs, timeZone }: { prices: Prices; nowMs: number; timeZone: string }) {
  const [box, width] = useWidth();
  const slots = prices.slots.filter((slot) => slot.import !== null);
  const nowAt = slots.findIndex((slot) => slot.fromMs <= nowMs && nowMs < slot.untilMs);
  const [picked, handlers] = usePick(slots, nowAt, width);
  const [first, last] = [slots[0], slots.at(-1)];
  if (!first || !last) return <p class="soft">No prices are known yet.</p>;

  const x = (atMs: number): number => ((atMs - first.fromMs) / (last.untilMs - first.fromMs)) * width;
  const values = slots.map((slot) => slot.import ?? 0);
  const top = Math.max(...values, 0.01);
  const floor = Math.min(...values, 0);
  const y = (value: number): number => 8 + ((top - value) / (top - floor)) * (HEIGHT - 8);
  const current = slots[nowAt];
  const shown = (picked === null ? undefined : slots[picked]) ?? current ?? first;
  return (
    <div class="prices">
      <p class="reading" aria-live="polite">
        <strong>{price(shown.import, prices.currency).number}</strong>{' '}
        {price(shown.import, prices.currency).unit}{' '}
        <span class="soft">
          {shown === current
            ? 'now, until '
            : `${dayWord(shown.fromMs, nowMs, timeZone)}${clock(shown.fromMs, timeZone)}–`}
          {clock(shown.untilMs, timeZone)}
        </span>
      </p>
      <div ref={box}>
        <svg
          width={width}
          height={HEIGHT + FOOT}
          aria-label={describe(slots, prices, timeZone)}
          {...handlers}
        >
          {slots.map((slot, index) => (
            <rect
              key={slot.fromMs}
              class={`slot ${level(slot, values)}${slot.untilMs <= nowMs ? ' past' : ''}${index === picked ? ' picked' : ''}`}
              x={x(slot.fromMs) + 0.5}
              width={Math.max(1, x(slot.untilMs) - x(slot.fromMs) - 1)}
              y={Math.min(y(slot.import ?? 0), y(0))}
              height={Math.max(2, Math.abs(y(slot.import ?? 0) - y(0)))}
              rx="1.5"
            />
          ))}
          {current && <line class="now" x1={x(nowMs)} x2={x(nowMs)} y1="0" y2={HEIGHT} />}
          {hours(first.fromMs, last.untilMs, timeZone, width).map((atMs) => (
            <text key={atMs} class="tick" x={x(atMs)} y={HEIGHT + 15}>
              {clock(atMs, timeZone)}
            </text>
          ))}
        </svg>
      </div>
      <Lanes
        planned={prices.planned}
        {...{ fromMs: first.fromMs, untilMs: last.untilMs, nowMs, width, timeZone }}
      />
    </div>
  );
}

/** Cheap, usual or dear, by the third of the range that the price is in. */
function level(slot: Slot, values: readonly number[]): string {
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const share = range === 0 ? 0.5 : ((slot.import ?? 0) - low) / range;
  return share < 0.34 ? 'cheap' : share < 0.67 ? 'usual' : 'dear';
}

/** Round hours that have room for their label. */
export function hours(fromMs: number, untilMs: number, timeZone: string, width: number): number[] {
  const span = untilMs - fromMs;
  const every = [3, 6, 12].find((n) => (span / (n * HOUR_MS)) * 52 < width) ?? 24;
  const ticks: number[] = [];
  for (let atMs = fromMs; atMs < untilMs; atMs += HOUR_MS) {
    const hour = Math.floor(localMs(atMs, timeZone) / HOUR_MS) % 24;
    if (hour % every === 0 && atMs - fromMs > span * 0.03 && untilMs - atMs > span * 0.04) ticks.push(atMs);
  }
  return ticks;
}

function describe(slots: readonly Slot[], prices: Prices, timeZone: string): string {
  const by = [...slots].sort((a, b) => (a.import ?? 0) - (b.import ?? 0));
  const say = (slot: Slot | undefined): string =>
    slot
      ? `${price(slot.import, prices.currency).number} ${price(slot.import, prices.currency).unit} at ${dayWord(slot.fromMs, prices.nowMs, timeZone)}${clock(slot.fromMs, timeZone)}`
      : '';
  return `Price curve. Cheapest ${say(by[0])}, dearest ${say(by.at(-1))}. The arrow keys read each one.`;
}
