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
  const strip = band.course.length > 0 ? STRIP : 0;
  return (
    <svg width={width} height={strip + LANE} role="img" aria-label={describe(band, nowMs, timeZone)}>
      {strip > 0 && <Course band={band} x={x} width={width} />}
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

/** An area as high as it is full or warm, and the least that is wanted. */
function Course({ band, x, width }: { band: Band; x: (atMs: number) => number; width: number }) {
  const { course, of, least } = band;
  const [first, last] = [course[0], course.at(-1)];
  if (!first || !last) return null;
  const values = [...course.map((point) => point.value), ...(least === null ? [] : [least])];
  const [low, high] = of === 'fill' ? [0, 1] : [Math.min(...values) - 1, Math.max(...values) + 1];
  const y = (value: number): number => 2 + ((high - value) / (high - low)) * (STRIP - 4);
  const points = course.map(({ atMs, value }) => `${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`).join(' L ');
  return (
    <g class={of === 'fill' ? 'course' : 'course warm'}>
      <path class="area" d={`M ${x(first.atMs)} ${y(low)} L ${points} L ${x(last.atMs)} ${y(low)} Z`} />
      <path class="edge" d={`M ${points}`} />
      {least !== null && least > 0 && (
        <>
          <line class="least" x1="0" x2={width} y1={y(least)} y2={y(least)} />
          <text class="tick start" x="0" y={y(least) - 3}>
            {of === 'fill' ? 'reserve' : 'at least'} {amount(least, of)}
          </text>
        </>
      )}
    </g>
  );
}

const amount = (value: number, of: Band['of']): string =>
  of === 'fill' ? `${Math.round(value * 100)} %` : `${value.toFixed(1).replace(/\.0$/, '')} °C`;

const WORDS: Readonly<Record<Action, string>> = {
  run: '',
  charge: 'charges ',
  discharge: 'gives ',
  heat: 'heats ',
};

/** What is still to come of a plan, the next three. */
function spans({ kind, slots }: Band, nowMs: number, timeZone: string): string[] {
  const ahead = slots.filter((slot) => slot.untilMs > nowMs).slice(0, 3);
  if (ahead.length === 0) return [kind === 'battery' ? 'follows the house' : 'nothing ahead'];
  return ahead.map(({ fromMs, untilMs, action }, index) => {
    const from = fromMs <= nowMs ? 'now' : `${dayWord(fromMs, nowMs, timeZone)}${clock(fromMs, timeZone)}`;
    const does = action === ahead[index - 1]?.action ? '' : WORDS[action];
    return `${does}${from}–${clock(untilMs, timeZone)}`;
  });
}

function describe(band: Band, nowMs: number, timeZone: string): string {
  const { name, course, of } = band;
  const by = [...course].sort((a, b) => a.value - b.value);
  const say = (point: Band['course'][number]): string =>
    `${amount(point.value, of)} ${dayWord(point.atMs, nowMs, timeZone)}${clock(point.atMs, timeZone)}`;
  const [least, most] = [by[0], by.at(-1)];
  const range = least && most ? ` Least ${say(least)}, most ${say(most)}.` : '';
  return `${name}: ${spans(band, nowMs, timeZone).join(', ')}.${range}`;
}
