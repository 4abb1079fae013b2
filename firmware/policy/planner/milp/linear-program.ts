/** A mixed-integer program as it is built: columns in order, rows as they come. */

export type Term = readonly [variable: number, factor: number];
export type Kind = 'real' | 'integer';
export type Relation = '<=' | '>=' | '=';

/** Plain arrays (rows compressed), ready for the solver and for JSON. Beyond ±1e30 is unbounded. */
export interface ProgramData {
  readonly cost: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** 1 where the column must be whole. */
  readonly whole: readonly (0 | 1)[];
  readonly rowLow: readonly number[];
  readonly rowHigh: readonly number[];
  readonly starts: readonly number[];
  readonly indices: readonly number[];
  readonly factors: readonly number[];
}

const UNBOUNDED = 1e30;

export class LinearProgram {
  readonly #cost: number[] = [];
  readonly #low: number[] = [];
  readonly #high: number[] = [];
  readonly #whole: (0 | 1)[] = [];
  readonly #rowLow: number[] = [];
  readonly #rowHigh: number[] = [];
  readonly #starts: number[] = [0];
  readonly #indices: number[] = [];
  readonly #factors: number[] = [];

  /** Adds a variable within [low, high] and returns its index; `cost` is its factor in the objective (minimised). */
  variable(cost: number, low: number, high: number, kind: Kind = 'real'): number {
    this.#cost.push(cost);
    this.#low.push(Math.max(-UNBOUNDED, low));
    this.#high.push(Math.min(UNBOUNDED, Math.max(low, high)));
    this.#whole.push(kind === 'integer' ? 1 : 0);
    return this.#cost.length - 1;
  }

  binary(cost = 0): number {
    return this.variable(cost, 0, 1, 'integer');
  }

  /** Terms of the same variable are added up. */
  row(terms: readonly Term[], relation: Relation, value: number): void {
    const sums = new Map<number, number>();
    for (const [v, factor] of terms) sums.set(v, (sums.get(v) ?? 0) + factor);
    for (const [v, factor] of sums) {
      if (factor === 0) continue;
      this.#indices.push(v);
      this.#factors.push(factor);
    }
    this.#starts.push(this.#indices.length);
    this.#rowLow.push(relation === '<=' ? -UNBOUNDED : value);
    this.#rowHigh.push(relation === '>=' ? UNBOUNDED : value);
  }

  /** `v <= most × decision`: zero unless the decision is 1. */
  onlyWith(v: number, most: number, decision: number): void {
    this.row([[v, 1] as Term, [decision, -most] as Term], '<=', 0);
  }

  /** `v >= least × decision`. */
  atLeastWith(v: number, least: number, decision: number): void {
    this.row([[v, 1] as Term, [decision, -least] as Term], '>=', 0);
  }

  /** `v <= most × (1 − decision)`: zero when the decision is 1. */
  onlyWithout(v: number, most: number, decision: number): void {
    this.row([[v, 1] as Term, [decision, most] as Term], '<=', most);
  }

  get columns(): number {
    return this.#cost.length;
  }

  data(): ProgramData {
    return {
      cost: this.#cost,
      low: this.#low,
      high: this.#high,
      whole: this.#whole,
      rowLow: this.#rowLow,
      rowHigh: this.#rowHigh,
      starts: this.#starts,
      indices: this.#indices,
      factors: this.#factors,
    };
  }
}
