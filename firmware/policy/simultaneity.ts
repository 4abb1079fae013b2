/**
 * The power that a network operator must leave to the controllable devices of a home that steers them through an
 * energy manager: § 14a EnWG, BNetzA BK6-22-300 of 2023-11-27, annex 1, 4.5.2. A limit below it is obeyed, and shown to
 * the owner as what it is.
 */

/** "Gleichzeitigkeitsfaktor" by the number of controllable devices (annex 1, 4.5.2, table); one alone has none. */
export const SIMULTANEITY: readonly (readonly [devices: number, factor: number])[] = [
  [2, 0.8],
  [3, 0.75],
  [4, 0.7],
  [5, 0.65],
  [6, 0.6],
  [7, 0.55],
  [8, 0.5],
  // Nine and more.
  [9, 0.45],
];

/** What a controllable device keeps at least, and from which rated power on it is one (2.4.1, 4.5.1). */
export const DEVICE_MINIMUM_W = 4200;
/** A group of heat pumps, or of cooling, above this keeps a share of its rated power instead (4.5.1). */
const LARGE_W = 11_000;
const LARGE_SHARE = 0.4;

export interface Steerable {
  readonly group: 'charging' | 'heating' | 'cooling' | 'battery';
  readonly rated_W: number;
}

/**
 * Pmin,14a in W. Heat pumps count as one device together, and so does cooling (2.4.2); what is rated 4.2 kW or less is
 * none. 0 where there is none.
 */
export function guaranteed_W(devices: readonly Steerable[]): number {
  const groups = [
    ...devices.filter((d) => d.group === 'charging' || d.group === 'battery').map((d) => d.rated_W),
    ...(['heating', 'cooling'] as const).map((group) => rated_W(devices, group)),
  ].filter((rated) => rated > DEVICE_MINIMUM_W);
  const n = groups.length;
  if (n === 0) return 0;
  const large = (['heating', 'cooling'] as const)
    .map((group) => rated_W(devices, group))
    .filter((rated) => rated > LARGE_W)
    .map((rated) => rated * LARGE_SHARE);
  const first = Math.max(DEVICE_MINIMUM_W, ...large);
  return first + (n - 1) * factorOf(n) * DEVICE_MINIMUM_W;
}

const rated_W = (devices: readonly Steerable[], group: Steerable['group']): number =>
  devices.filter((d) => d.group === group).reduce((sum, d) => sum + d.rated_W, 0);

const factorOf = (n: number): number =>
  SIMULTANEITY.reduce((factor, [devices, value]) => (n >= devices ? value : factor), 1);
