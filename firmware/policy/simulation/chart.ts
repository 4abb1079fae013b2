/** Charts as SVG text, drawn here: no library, no fonts, readable in print. */

export interface Line {
  readonly name: string;
  readonly values: readonly number[];
  readonly colour: string;
  /** Drawn as steps: what holds for a whole slot. */
  readonly steps?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP] = [900, 170, 64, 16, 46, 44];

/** Panels one above the other over the same time; `labels` stand under the last, spread evenly. */
export function chart(title: string, panels: readonly Panel[], labels: readonly string[]): string {
  const height = TOP + panels.length * (HEIGHT + GAP) + 16;
  const body = panels.map((p, i) => panelOf(p, TOP + i * (HEIGHT + GAP))).join('');
  const last = TOP + panels.length * (HEIGHT + GAP) - GAP + 18;
  const ticks = labels.map((text, i) => {
    const x = LEFT + ((i + 0.5) / labels.length) * (WIDTH - LEFT - RIGHT);
    return `<text x="${x.toFixed(1)}" y="${last}" text-anchor="middle">${escaped(text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11" fill="#333">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    body,
    ...ticks,
    '</svg>\n',
  ].join('\n');
}

function panelOf({ title, unit, lines }: Panel, top: number): string {
  const all = lines.flatMap((l) => l.values).filter(Number.isFinite);
  const low = Math.min(0, ...spread(all));
  const high = Math.max(low + 1e-9, ...spread(all));
  const y = (x: number): number => top + HEIGHT - ((x - low) / (high - low)) * HEIGHT;
  const grid = [low, (low + high) / 2, high].map((x) => {
    const at = y(x).toFixed(1);
    return `<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${shortNumber(x)}</text>`;
  });
  const legend = lines.map(
    (l, i) =>
      `<text x="${WIDTH - RIGHT - (lines.length - i) * 150 + 20}" y="${top - 8}" fill="${l.colour}">■ ${escaped(l.name)}</text>`,
  );
  const heading = `<text x="${LEFT}" y="${top - 8}">${escaped(`${title} (${unit})`)}</text>`;
  return [heading, ...grid, ...legend, ...lines.map((l) => pathOf(l, y))].join('\n');
}

/** Least and most of a series that may be long. */
function spread(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const x of values) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  return Number.isFinite(low) ? [low, high] : [0, 1];
}

function pathOf({ values, colour, steps }: Line, y: (x: number) => number): string {
  const width = (WIDTH - LEFT - RIGHT) / Math.max(1, values.length);
  const points = values.map((v, i) => {
    const [x, at] = [(LEFT + i * width).toFixed(1), y(v).toFixed(1)];
    if (!steps) return `${i === 0 ? 'M' : 'L'}${(LEFT + (i + 0.5) * width).toFixed(1)} ${at}`;
    return i === 0 ? `M${x} ${at}h${width.toFixed(2)}` : `V${at}h${width.toFixed(2)}`;
  });
  return `<path d="${points.join('')}" fill="none" stroke="${colour}" stroke-width="1.4"/>`;
}

const shortNumber = (x: number): string => (Math.abs(x) >= 100 ? x.toFixed(0) : String(Number(x.toFixed(2))));
const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
