/** A mixed-integer program in CPLEX LP text, the form that HiGHS, CBC and glpsol all read. */

export type Term = readonly [variable: number, factor: number];
export type Kind = 'real' | 'binary' | 'integer';

interface Column {
  readonly cost: number;
  readonly low: number;
  readonly high: number;
  readonly kind: Kind;
}

const number = (x: number): string =>
  Number.isInteger(x) ? String(x) : Number(x.toPrecision(12)).toString();
const term = (factor: number, name: string): string =>
  `${factor < 0 ? '-' : '+'} ${number(Math.abs(factor))} ${name}`;

export class LinearProgram {
  readonly #columns: Column[] = [];
  readonly #rows: string[] = [];

  /** Adds a variable within [low, high] and returns its index; `cost` is its factor in the objective (minimised). */
  variable(cost: number, low: number, high: number, kind: Kind = 'real'): number {
    this.#columns.push({ cost, low, high: Math.max(low, high), kind });
    return this.#columns.length - 1;
  }

  binary(cost = 0): number {
    return this.variable(cost, 0, 1, 'binary');
  }

  row(terms: readonly Term[], relation: '<=' | '>=' | '=', value: number): void {
    const text = terms.filter(([, factor]) => factor !== 0).map(([v, factor]) => term(factor, `x${v}`));
    if (text.length === 0) return;
    this.#rows.push(`r${this.#rows.length}: ${wrap(text)} ${relation} ${number(value)}`);
  }

  get columns(): number {
    return this.#columns.length;
  }

  /** Every variable stands in the objective, in order: the solver's column `i` is variable `i`. */
  text(): string {
    const objective = this.#columns.map((c, i) => term(c.cost, `x${i}`));
    const bounds = this.#columns.map((c, i) => bound(c, `x${i}`));
    const named = (kind: Kind): string =>
      wrap(this.#columns.flatMap((c, i) => (c.kind === kind ? [`x${i}`] : [])));
    return [
      'Minimize',
      `obj: ${wrap(objective)}`,
      'Subject To',
      ...this.#rows,
      'Bounds',
      ...bounds,
      'Generals',
      `${named('binary')} ${named('integer')}`,
      'End',
      '',
    ].join('\n');
  }
}

function bound(c: Column, name: string): string {
  const low = c.low === Number.NEGATIVE_INFINITY ? '-inf' : number(c.low);
  const high = c.high === Number.POSITIVE_INFINITY ? '+inf' : number(c.high);
  return `${low} <= ${name} <= ${high}`;
}

/** LP readers limit the length of a line. */
function wrap(words: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += 16) lines.push(words.slice(i, i + 16).join(' '));
  return lines.join('\n ');
}
