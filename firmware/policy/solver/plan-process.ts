/**
 * Makes a plan in a process of its own, started for it and gone after it. When that process crashes, hangs, grows or
 * answers nonsense, a second one makes the stand-in plan without the solver; when that fails as well there is no plan.
 */
import path from 'node:path';
import * as z from 'zod';
import { ERRORS, type ErrorCode, ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Clock } from '../../domain/time.ts';
import type { MadePlan, PlanMaker, PlanTask } from '../planner/planner.ts';
import { WorkerProcess } from './worker-process.ts';

export interface PlanProcessOptions {
  /** Null: plan device by device, without the solver. */
  readonly solver: {
    /** It stops by itself then and gives the best it has. */
    readonly timeLimit_s: number;
    /** Relative and absolute gap at which it stops. */
    readonly gap: number;
  } | null;
  /** A process is ended after this. */
  readonly limitMs: number;
  /** A process is ended above this. */
  readonly memory_MiB: number;
  /** For tests: another program in the worker's place. */
  readonly worker?: string;
}

/** What the worker reads. */
export interface PlanRequest extends PlanTask {
  readonly solver: PlanProcessOptions['solver'];
}

/** Set where the gateway is bundled (scripts/build-gateway.ts): the worker is then a bundle beside it. */
declare const IN_BUNDLE: boolean | undefined;
const WORKER = path.join(
  import.meta.dirname,
  typeof IN_BUNDLE === 'undefined' ? 'plan-worker.ts' : '../../dist/plan-worker.js',
);

const powers = z.array(z.number().min(-1e6).max(1e6)).max(LIMITS.planSlots);
const source = z.enum(['supplied', 'history', 'clear-sky', 'latest', 'none']);
const error = z.number().nullable();
const quality = z.object({ source, meanError_W: error, bias_W: error });
const course = z.array(z.number()).max(LIMITS.planSlots + 1);
const answer = z.object({
  schedule: z.record(
    z.string(),
    z.object({
      used_kw: powers.exactOptional(),
      charge_kw: powers.exactOptional(),
      discharge_kw: powers.exactOptional(),
      power_kw: powers.exactOptional(),
      start: z.number().int().nullable().exactOptional(),
      curtailed_kw: powers.exactOptional(),
    }),
  ),
  import_kw: powers,
  export_kw: powers,
  bill: z.number(),
  quality: z.object({
    load: quality,
    solar: quality,
    temperature: z.object({ source, meanError_C: error, bias_C: error }).nullable().default(null),
    hotWater: quality.nullable().default(null),
  }),
  course: z.record(z.string(), course).exactOptional(),
  solar_kw: powers.exactOptional(),
  alternatives: z
    .record(
      z.string(),
      z.object({ startingNowCosts: error.exactOptional(), waitingCosts: error.exactOptional() }),
    )
    .exactOptional(),
  certificate: z.object({
    cost: z.number(),
    bound: z.number().nullable(),
    gap: z.number().min(0).nullable(),
    source: z.enum(['solver', 'stand-in', 'last plan']),
    ageSlots: z.number().int().min(0),
  }),
  faults: z
    .array(
      z.object({
        code: z.custom<ErrorCode>((x) => typeof x === 'string' && x in ERRORS),
        message: z.string(),
      }),
    )
    .max(LIMITS.planEvents),
});

/** Never rejects. SOLVER_FAILED among a plan's faults: it is the second process's. PLANNER_FAILED: both failed. */
export function planProcess(clock: Clock, options: PlanProcessOptions): PlanMaker {
  const { limitMs, memory_MiB, worker = WORKER } = options;
  const process = new WorkerProcess(clock, { file: worker, limitMs, memory_MiB });
  let isOver = false;
  const attempt = async (request: PlanRequest): Promise<Result<MadePlan>> => {
    const said = await process.ask(`${JSON.stringify(request)}\n`);
    return said.ok ? read(said.value.text, request.scenario.n) : said;
  };
  const make = async (task: PlanTask): Promise<Result<MadePlan>> => {
    const first = await attempt({ ...task, solver: options.solver });
    if (first.ok || isOver) return first;
    const second = await attempt({ ...task, solver: null });
    if (!second.ok)
      return refuse('PLANNER_FAILED', `${first.error.message}; without the solver: ${second.error.message}`);
    return ok({ ...second.value, faults: [first.error, ...second.value.faults] });
  };
  return Object.assign(make, {
    end() {
      isOver = true;
      process.kill();
    },
  });
}

function read(text: string, slots: number): Result<MadePlan> {
  const parsed = answer.safeParse(parse(text));
  if (!parsed.success) return refuse('SOLVER_FAILED', 'the planner’s answer is not readable');
  const { import_kw, export_kw } = parsed.data;
  if (import_kw.length !== slots || export_kw.length !== slots)
    return refuse('SOLVER_FAILED', 'the planner’s answer is for another time');
  return ok(parsed.data);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
