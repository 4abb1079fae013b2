import type { ProgramData, Term } from '../planner/milp/linear-program.ts';

export interface SolverAnswer {
  readonly values: readonly number[] | null;
  readonly bound: number | null;
  readonly memory_bytes: number;
}

export function solve(request: {
  readonly program: ProgramData;
  readonly start?: readonly Term[];
  readonly timeLimit_s: number;
  readonly gap: number;
}): SolverAnswer;
