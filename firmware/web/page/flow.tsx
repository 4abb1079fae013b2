/** Where the power flows: grid and sun on the left, the house in the middle, what it runs on the right. */
import type { DeviceView, View } from '../schema.ts';
import { powerText } from './format.ts';
import { Icon } from './icons.tsx';

/** Below this a flow is drawn at rest. */
const IDLE_W = 15;
const MOST_LOADS = 4;

interface Node {
  readonly key: string;
  readonly icon: string;
  readonly name: string;
  /** The name where the picture is not seen. */
  readonly said?: string;
  readonly power_W: number | null;
  readonly tone: string;
  /** Power towards the house is positive. */
  readonly inward_W: number | null;
  /** Of what it can hold, 0 to 1; a ring shows it. */
  readonly fill?: number | null;
}

interface Placed {
  readonly node: Node;
  readonly x: number;
  readonly y: number;
  /** Height of the house. */
  readonly middle: number;
}

const HOUSE_X = 190;
const RADIUS = 23;
const ROUND = 2 * Math.PI * RADIUS;

export function Flow({ view }: { view: View }) {
  const { flow } = view;
  const sources = sourcesOf(view);
  const loads = loadsOf(view);
  const rows = Math.max(sources.length, loads.length);
  const height = 110 + (rows - 1) * GAP;
  const nodes = [...place(sources, 58, height / 2), ...place(loads, 338, height / 2)];
  return (
    <svg class="flow" viewBox={`0 0 400 ${height}`} role="img" aria-label={describe(sources, loads, view)}>
      {nodes.map((placed) => (
        <Line key={placed.node.key} {...placed} />
      ))}
      <g class="node tone-house">
        <circle cx={HOUSE_X} cy={height / 2} r="40" />
        <Icon name="house" x={HOUSE_X - 14} y={height / 2 - 27} size={28} />
        <text class="strong" x={HOUSE_X} y={height / 2 + 21}>
          {powerText(flow.house_W)}
        </text>
      </g>
      {nodes.map(({ node, x, y }) => (
        <g
          key={node.key}
          class={`node tone-${node.tone}${active(node) ? '' : ' rest'}${node.fill == null ? '' : ' filled'}`}
        >
          <circle cx={x} cy={y} r={RADIUS} />
          {node.fill != null && (
            <circle
              class="ring"
              cx={x}
              cy={y}
              r={RADIUS}
              stroke-dasharray={`${node.fill * ROUND} ${ROUND}`}
              transform={`rotate(-90 ${x} ${y})`}
            />
          )}
          <Icon name={node.icon} x={x - 12} y={y - 12} />
          <text x={x} y={y + 37}>
            <tspan class="strong">{powerText(node.power_W)}</tspan>
          </text>
          <text class="name" x={x} y={y - 29}>
            {short(node.name)}
          </text>
        </g>
      ))}
    </svg>
  );
}

function sourcesOf({ flow }: View): Node[] {
  const { grid_W, solar_W } = flow;
  const out = grid_W !== null && grid_W < -IDLE_W;
  const sun = { key: 'sun', icon: 'inverter', name: 'Solar', tone: 'sun' };
  const grid = { key: 'grid', icon: 'grid', name: out ? 'To the grid' : 'Grid', tone: out ? 'leaf' : 'grid' };
  return [
    ...(flow.hasSolar ? [{ ...sun, power_W: solar_W, inward_W: solar_W }] : []),
    { ...grid, power_W: grid_W, inward_W: grid_W },
    ...(flow.hasBattery ? [batteryOf(flow)] : []),
  ];
}

/** `Charging 68 %`: which way it flows is seen, and read. */
function batteryOf({ battery_W, batteryFill }: View['flow']): Node {
  const way = (battery_W ?? 0) > IDLE_W ? 'Charging' : (battery_W ?? 0) < -IDLE_W ? 'Giving' : 'Battery';
  const full = batteryFill === null ? '' : ` ${Math.round(batteryFill * 100)} %`;
  return {
    ...{ key: 'battery', icon: 'battery', tone: 'leaf', power_W: battery_W, fill: batteryFill },
    name: way + full,
    said: `${way === 'Battery' ? way : `Battery ${way.toLowerCase()}`}${full === '' ? '' : `,${full} full,`}`,
    inward_W: battery_W === null ? null : -battery_W,
  };
}

function loadsOf(view: View): Node[] {
  const loads = view.devices
    .filter((device) => !device.producer && device.kind !== 'battery' && device.store?.kind !== 'battery')
    .sort((a, b) => (b.power_W ?? 0) - (a.power_W ?? 0));
  const shown = loads.slice(0, loads.length > MOST_LOADS - 1 ? MOST_LOADS - 2 : MOST_LOADS - 1);
  const rest = loads.slice(shown.length);
  const nodes = shown.map((device) => loadNode(device));
  const others = rest.reduce((sum, device) => sum + (device.power_W ?? 0), 0);
  const other_W = view.flow.other_W === null ? null : view.flow.other_W + others;
  nodes.push({
    key: '_rest',
    icon: 'other',
    name: 'Everything else',
    power_W: other_W,
    tone: 'ember',
    inward_W: other_W === null ? null : -other_W,
  });
  return nodes;
}

const loadNode = (device: DeviceView): Node => ({
  key: device.id,
  icon: device.kind,
  name: device.name,
  power_W: device.power_W,
  tone: 'ember',
  inward_W: device.power_W === null ? null : -device.power_W,
});

const active = (node: Node): boolean => node.inward_W !== null && Math.abs(node.inward_W) > IDLE_W;
const short = (name: string): string => (name.length > 15 ? `${name.slice(0, 14)}…` : name);

const GAP = 92;

/** Spreads nodes around the middle of the picture. */
function place(nodes: readonly Node[], x: number, middle: number): Placed[] {
  return nodes.map((node, index) => ({
    node,
    x,
    y: middle + (index - (nodes.length - 1) / 2) * GAP,
    middle,
  }));
}

function Line({ node, x, y, middle }: Placed) {
  const halfway = (x + HOUSE_X) / 2;
  // From the node to the house; a flow the other way runs the dashes backwards.
  const path = `M ${x} ${y} C ${halfway} ${y}, ${halfway} ${middle}, ${HOUSE_X} ${middle}`;
  const size = Math.abs(node.inward_W ?? 0);
  const pace = size > 3000 ? 'fast' : size > 800 ? 'steady' : 'slow';
  const way = (node.inward_W ?? 0) < 0 ? 'outward' : 'inward';
  return (
    <g class={`line tone-${node.tone}`}>
      <path d={path} class="bed" />
      {active(node) && <path d={path} class={`current ${pace} ${way}`} />}
    </g>
  );
}

/** The same in words, for who cannot see it. */
function describe(sources: readonly Node[], loads: readonly Node[], view: View): string {
  const say = (node: Node): string => `${node.said ?? node.name} ${powerText(node.power_W)}`;
  return `${view.headline} ${sources.map(say).join(', ')}. The home draws ${powerText(view.flow.house_W)}: ${loads.map(say).join(', ')}.`;
}
