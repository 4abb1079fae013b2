/** What is planned under the price of the same hours: a lane for each device, and how full a battery will be. */
import type { Prices } from '../schema.ts';
import { clock, dayWord } from './format.ts';

type Band = Prices['planned'][number];
type Action = Band['slots'][number]['action'];

const LANE = 12;
const STRIP = 44;
/** More devices than these are folded away. */
const MOST = 6;

interface Props {
  readonly planned: readonly Band[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly nowMs: number;
  readonly width: number;
  readonly timeZone: string;
}

export function Lanes(props: Props) {
  const { planned } = props;
  const rest = planned.slice(MOST);
  return (
    <>
      <Rows {...props} planned={planned.slice(0, MOST)} />
      {rest.length > 0 && (
        <details>
          <summary>{rest.length} more are planned</summary>
          <Rows {...props} planned={rest} />
        </details>
      )}
    </>
  );
}

function Rows({ planned, ...scale }: Props) {
  return (
    <ul class="lanes">
      {planned.map((band) => (
        <li key={band.id}>
          <p class="line">
            <span class="name">{band.name}</span>
            <span class="soft end">
              {spans(band, scale.nowMs, scale.timeZone).map((words, index) => (
                <>
                  {index > 0 && ', '}
                  <span>{words}</span>
                </>
              ))}
            </span>
          </p>
          <Lane band={band} {...scale} />
        </li>
      ))}
    </ul>
  );
}

function Lane({ band, fromMs, untilMs, nowMs, width, timeZone }: Omit<Props, 'planned'> & { band: Band }) {
  const x = (atMs: number): number =>
    Math.min(width, Math.max(0, ((atMs - fromMs) / (untilMs - fromMs)) * width));
  const strip = band.fill.length > 0 ? STRIP : 0;
  return (
    <svg width={width} height={strip + LANE} role="img" aria-label={describe(band, nowMs, timeZone)}>
      {strip > 0 && <Fill band={band} x={x} width={width} />}
      <rect class="lane" y={strip + 4} width={width} height="4" rx="2" />
      {band.slots
        .filter((slot) => x(slot.untilMs) > x(slot.fromMs))
        .map((slot) => (
          <rect
            key={slot.fromMs}
            class={`plan ${slot.action}`}
            x={x(slot.fromMs)}
            y={strip + 1}
            width={Math.max(2, x(slot.untilMs) - x(slot.fromMs))}
            height="10"
            rx="4"
          />
        ))}
      <line class="now" x1={x(nowMs)} x2={x(nowMs)} y1="0" y2={strip + LANE} />
    </svg>
  );
}

/** An area as high as the battery is full, and its reserve. */
function Fill({ band, x, width }: { band: Band; x: (atMs: number) => number; width: number }) {
  const y = (fill: number): number => 2 + (1 - fill) * (STRIP - 4);
  const points = band.fill.map(({ atMs, fill }) => `${x(atMs).toFixed(1)} ${y(fill).toFixed(1)}`);
  const [first, last] = [band.fill[0], band.fill.at(-1)];
  if (!first || !last) return null;
  return (
    <>
      <path
        class="fill"
        d={`M ${x(first.atMs)} ${y(0)} L ${points.join(' L ')} L ${x(last.atMs)} ${y(0)} Z`}
      />
      <path class="edge" d={`M ${points.join(' L ')}`} />
      {band.leastFill !== null && band.leastFill > 0 && (
        <>
          <line class="reserve" x1="0" x2={width} y1={y(band.leastFill)} y2={y(band.leastFill)} />
          <text class="tick start" x="0" y={y(band.leastFill) - 3}>
            reserve {percent(band.leastFill)}
          </text>
        </>
      )}
    </>
  );
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const WORDS: Readonly<Record<Action, string>> = {
  run: '',
  charge: 'charges ',
  discharge: 'gives ',
  heat: 'heats ',
};

/** What is still to come of a plan, the next three. */
function spans({ kind, slots }: Band, nowMs: number, timeZone: string): string[] {
  const ahead = slots.filter((slot) => slot.untilMs > nowMs).slice(0, 3);
  if (ahead.length === 0) return [kind === 'battery' ? 'follows the house' : 'done for today'];
  return ahead.map(({ fromMs, untilMs, action }) => {
    const from = fromMs <= nowMs ? 'now' : `${dayWord(fromMs, nowMs, timeZone)}${clock(fromMs, timeZone)}`;
    return `${WORDS[action]}${from}–${clock(untilMs, timeZone)}`;
  });
}

function describe(band: Band, nowMs: number, timeZone: string): string {
  const { name, fill } = band;
  const by = [...fill].sort((a, b) => a.fill - b.fill);
  const say = (point: Band['fill'][number]): string =>
    `${percent(point.fill)} ${dayWord(point.atMs, nowMs, timeZone)}${clock(point.atMs, timeZone)}`;
  const [least, most] = [by[0], by.at(-1)];
  const course = least && most ? ` Charge planned: least ${say(least)}, most ${say(most)}.` : '';
  return `${name}: ${spans(band, nowMs, timeZone).join(', ')}.${course}`;
}
