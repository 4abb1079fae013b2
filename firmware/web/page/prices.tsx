/** The price of today and tomorrow, and when each device is meant to run. */
import { useState } from 'preact/hooks';
import { localMs } from '../../domain/calendar.ts';
import type { Prices } from '../schema.ts';
import { clock, price } from './format.ts';
import { useWidth } from './width.ts';

const HEIGHT = 150;
const FOOT = 20;
const BAND = 18;
const HOUR_MS = 3_600_000;

type Slot = Prices['slots'][number];

export function PriceCurve({ prices, nowMs, timeZone }: { prices: Prices; nowMs: number; timeZone: string }) {
  const [box, width] = useWidth();
  const [picked, setPicked] = useState<number | null>(null);
  const slots = prices.slots.filter((slot) => slot.import !== null);
  const [first, last] = [slots[0], slots.at(-1)];
  if (!first || !last) return <p class="soft">No prices are known yet.</p>;

  const x = (atMs: number): number => ((atMs - first.fromMs) / (last.untilMs - first.fromMs)) * width;
  const values = slots.map((slot) => slot.import ?? 0);
  const top = Math.max(...values, 0.01);
  const floor = Math.min(...values, 0);
  const y = (value: number): number => 8 + ((top - value) / (top - floor)) * (HEIGHT - 8);
  const current = slots.find((slot) => slot.fromMs <= nowMs && nowMs < slot.untilMs);
  const shown = (picked === null ? undefined : slots[picked]) ?? current ?? first;
  const bands = prices.planned;
  const height = HEIGHT + FOOT + bands.length * BAND;

  const pick = (event: PointerEvent): void => {
    const atMs = first.fromMs + (event.offsetX / width) * (last.untilMs - first.fromMs);
    const index = slots.findIndex((slot) => slot.fromMs <= atMs && atMs < slot.untilMs);
    setPicked(index < 0 ? null : index);
  };
  const step = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    setPicked(Math.min(slots.length - 1, Math.max(0, slots.indexOf(shown) + by)));
  };

  return (
    <div class="prices">
      <p class="reading" aria-live="polite">
        <strong>{price(shown.import, prices.currency).number}</strong>{' '}
        {price(shown.import, prices.currency).unit}{' '}
        <span class="soft">
          {shown === current
            ? 'now, until '
            : `${dayWord(shown, nowMs, timeZone)}${clock(shown.fromMs, timeZone)}–`}
          {clock(shown.untilMs, timeZone)}
        </span>
      </p>
      <div ref={box}>
        <svg
          width={width}
          height={height}
          role="img"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk through the slots
          tabIndex={0}
          aria-label={describe(slots, prices, timeZone)}
          onPointerMove={pick}
          onPointerLeave={() => setPicked(null)}
          onKeyDown={step}
          onBlur={() => setPicked(null)}
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
          {current && <line class="now" x1={x(nowMs)} x2={x(nowMs)} y1="0" y2={height} />}
          {hours(first.fromMs, last.untilMs, timeZone, width).map((atMs) => (
            <text key={atMs} class="tick" x={x(atMs)} y={HEIGHT + 15}>
              {clock(atMs, timeZone)}
            </text>
          ))}
          {bands.map((band, row) => (
            <g key={band.id} transform={`translate(0 ${HEIGHT + FOOT + row * BAND})`}>
              <rect class="lane" x="0" y="7" width={width} height="4" rx="2" />
              {band.slots.map((slot) => {
                const from = Math.max(0, x(slot.fromMs));
                const until = Math.min(width, x(slot.untilMs));
                return until > from ? (
                  <rect
                    key={slot.fromMs}
                    class={`plan plan-${row % 4}`}
                    x={from}
                    y="4"
                    width={until - from}
                    height="10"
                    rx="4"
                  />
                ) : null;
              })}
            </g>
          ))}
        </svg>
      </div>
      {bands.length > 0 && (
        <ul class="legend">
          {bands.map((band, row) => (
            <li key={band.id}>
              <i class={`plan-${row % 4}`} /> {band.name}{' '}
              <span class="soft">{spans(band.slots, nowMs, timeZone)}</span>
            </li>
          ))}
        </ul>
      )}
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

function dayWord(slot: { readonly fromMs: number }, nowMs: number, timeZone: string): string {
  const day = (atMs: number): number => Math.floor(localMs(atMs, timeZone) / (24 * HOUR_MS));
  return day(slot.fromMs) > day(nowMs) ? 'tomorrow ' : '';
}

/** What is still to come of a plan. */
function spans(planned: Prices['planned'][number]['slots'], nowMs: number, timeZone: string): string {
  const ahead = planned.filter((slot) => slot.untilMs > nowMs).slice(0, 3);
  const words = ahead.map(
    (slot) =>
      `${dayWord(slot, nowMs, timeZone)}${clock(slot.fromMs, timeZone)}–${clock(slot.untilMs, timeZone)}`,
  );
  return words.length === 0 ? 'done for today' : words.join(', ');
}

function describe(slots: readonly Slot[], prices: Prices, timeZone: string): string {
  const by = [...slots].sort((a, b) => (a.import ?? 0) - (b.import ?? 0));
  const say = (slot: Slot | undefined): string =>
    slot
      ? `${price(slot.import, prices.currency).number} ${price(slot.import, prices.currency).unit} at ${clock(slot.fromMs, timeZone)}`
      : '';
  const plans = prices.planned
    .map((band) => `${band.name} ${spans(band.slots, prices.nowMs, timeZone)}`)
    .join('; ');
  return `Price curve. Cheapest ${say(by[0])}, dearest ${say(by.at(-1))}. ${plans === '' ? '' : `Planned: ${plans}.`}`;
}
