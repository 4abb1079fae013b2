/** What an appliance does once it has power, step by step, as its owner states it. */
import * as z from 'zod';
import type { Program } from '../domain/flexibility.ts';
import { LIMITS } from '../domain/limits.ts';

const MINUTE_MS = 60_000;

export const programStepsSchema = z
  .array(
    z.strictObject({
      minutes: z.int().min(1).max(LIMITS.programMinutes),
      power_W: z.number().min(0).max(LIMITS.programPower_W),
    }),
  )
  .min(1)
  .max(LIMITS.programSteps)
  .refine(
    (steps) => steps.reduce((sum, { minutes }) => sum + minutes, 0) <= LIMITS.programMinutes,
    'expected at most 24 hours in all',
  )
  .refine(
    (steps) => steps.some(({ power_W }) => power_W >= 1),
    'expected at least one step that draws power',
  );

export type ProgramSteps = z.infer<typeof programStepsSchema>;

export const programOf = (steps: ProgramSteps): Program => ({
  steps: steps.map(({ minutes, power_W }) => ({ forMs: minutes * MINUTE_MS, power_W })),
});

/** W, what it draws at most: what "on" is counted with. */
export const highest_W = (steps: ProgramSteps): number => Math.max(...steps.map(({ power_W }) => power_W));
