/** Energy as bars: from the grid upwards, to the grid downwards. The arrow keys walk from bar to bar. */
import type { EnergyDays } from '../schema.ts';
import { clock, energy, money, weekday } from './format.ts';
import { usePick } from './pick.ts';
import { hours } from './prices.tsx';
import { useWidth } from './width.ts';

const HEIGHT = 180;
const FOOT = 20;

interface Props {
  readonly days: EnergyDays;
  readonly per: 'quarter' | 'day';
  readonly timeZone: string;
}

export function Bars({ days, per, timeZone }: Props) {
  const [box, width] = useWidth();
  const { slots, fromMs, untilMs } = days;
  const [picked, handlers] = usePick(slots, -1, width);
  const x = (atMs: number): number => ((atMs - fromMs) / (untilMs - fromMs)) * width;
  const up = Math.max(...slots.map((slot) => slot.import_Wh ?? 0), 1);
  const down = Math.max(...slots.map((slot) => slot.export_Wh ?? 0), 0);
  const y = (energy_Wh: number): number => 14 + ((up - energy_Wh) / (up + down)) * (HEIGHT - 18);
  const when = (slot: (typeof slots)[number]): string =>
    per === 'day'
      ? weekday(slot.fromMs, timeZone)
      : `${clock(slot.fromMs, timeZone)}–${clock(slot.untilMs, timeZone)}`;

  const shown = picked === null ? undefined : slots[picked];
  const ticks = per === 'day' ? dayTicks(slots, width) : hours(fromMs, untilMs, timeZone, width);
  return (
    <div class="bars">
      <p class="reading" aria-live="polite">
        {shown ? (
          <>
            <strong>{when(shown)}</strong> {energy(shown.import_Wh, 2).number} kWh from the grid
            {shown.export_Wh !== null && `, ${energy(shown.export_Wh, 2).number} kWh to it`}
            {shown.cost !== null && `, ${money(shown.cost, days.currency)}`}
          </>
        ) : (
          <span class="soft">
            {per === 'day' ? 'Each day' : 'Each quarter hour'}: from the grid upwards
            {down > 0 && ', to the grid downwards'}
          </span>
        )}
      </p>
      <div ref={box}>
        <svg width={width} height={HEIGHT + FOOT} aria-label={describe(days, when)} {...handlers}>
          <line class="axis" x1="0" x2={width} y1={y(up)} y2={y(up)} />
          <line class="axis zero" x1="0" x2={width} y1={y(0)} y2={y(0)} />
          <text class="tick start" x="0" y={y(up) - 3}>
            {energy(up, up < 10_000 ? 2 : 1).number} kWh
          </text>
          {slots.map((slot, index) => (
            <Bar
              key={slot.fromMs}
              slot={slot}
              x={x(slot.fromMs) + 0.5}
              width={Math.max(1, x(slot.untilMs) - x(slot.fromMs) - 1)}
              y={y}
              tone={index === picked ? ' picked' : ''}
            />
          ))}
          {ticks.map((atMs) => (
            <text
              key={atMs}
              class="tick"
              x={per === 'day' ? (x(atMs) + x(atMs + DAY_MS)) / 2 : x(atMs)}
              y={HEIGHT + 15}
            >
              {per === 'day' ? weekday(atMs, timeZone).split(' ')[1] : clock(atMs, timeZone)}
            </text>
          ))}
        </svg>
      </div>
    </div>
  );
}

interface BarProps {
  readonly slot: EnergyDays['slots'][number];
  readonly x: number;
  readonly width: number;
  readonly y: (energy_Wh: number) => number;
  readonly tone: string;
}

function Bar({ slot, y, tone, ...at }: BarProps) {
  const [bought_Wh, sold_Wh] = [slot.import_Wh ?? 0, slot.export_Wh ?? 0];
  return (
    <>
      {bought_Wh > 0 && <rect class={`bar${tone}`} {...at} y={y(bought_Wh)} height={y(0) - y(bought_Wh)} />}
      {sold_Wh > 0 && <rect class={`bar out${tone}`} {...at} y={y(0)} height={y(-sold_Wh) - y(0)} />}
    </>
  );
}

const DAY_MS = 86_400_000;

/** As many days as have room for their number. */
function dayTicks(slots: EnergyDays['slots'], width: number): number[] {
  const every = Math.max(1, Math.ceil((slots.length * 26) / width));
  return slots.filter((_, index) => index % every === 0).map((slot) => slot.fromMs);
}

function describe({ slots, total }: EnergyDays, when: (slot: EnergyDays['slots'][number]) => string): string {
  const most = [...slots].sort((a, b) => (b.import_Wh ?? 0) - (a.import_Wh ?? 0))[0];
  const peak = most?.import_Wh ? ` Most ${when(most)}: ${energy(most.import_Wh, 2).number} kWh.` : '';
  return `Energy: ${energy(total.import_Wh).number} kWh from the grid, ${energy(total.export_Wh).number} kWh to it.${peak} The arrow keys read each bar; a table follows.`;
}
