/** What is agreed with an operator about one programme, at commissioning: no message says any of it. */
import * as z from 'zod';
import { MOST_EUR_PER_KWH, MOST_PER_EURO } from '../domain/currency.ts';
import type { Restore } from '../domain/signal.ts';

const MOST_PLUS = MOST_EUR_PER_KWH * MOST_PER_EURO;

const share = z.number().min(0).max(1);

/** What a level of a SIMPLE event means here: a limit, a reduction by a share of the baseline, or nothing. */
const level = z.union(
  [z.null(), z.strictObject({ limit_W: z.number().min(0) }), z.strictObject({ reduceBy: share })],
  { error: 'expected null, {"limit_W": …} or {"reduceBy": 0…1}' },
);

const terms = z.strictObject({
  factor: z.number().min(-10).max(10).default(1),
  /** In the site's currency, which the configuration checks. */
  plus: z.number().min(-MOST_PLUS).max(MOST_PLUS).default(0),
});

export const programSchema = z.strictObject({
  id: z.string().min(1).max(128),
  /** Who is behind it, as the owner sees it. */
  name: z.string().min(1),
  binding: z.enum(['informational', 'commandable']),
  scope: z.enum(['site', 'controllable']).default('site'),
  /** A filter: messages of this programme are taken from these topics only. */
  topic: z.string().min(1).optional(),
  /** What reductions are measured against. */
  baseline: z
    .strictObject({
      name: z.enum(['contracted', 'nominal', 'mean15min']),
      contracted_W: z.number().positive().optional(),
    })
    .optional(),
  /** OpenADR 3.1.0 forbids the negative change that a reduction is: some send it positive. */
  reductionSign: z.enum(['negative', 'positive']).optional(),
  /** Normal, moderate, high, emergency (SIMPLE 0…3). */
  levels: z.tuple([level, level, level, level]).optional(),
  /** What the contract makes of a market's price per kWh: times `factor` (taxes), plus `plus` (grid fees, levies). */
  importPrice: terms.optional(),
  exportPrice: terms.optional(),
  /** How loads come back after a limit (BK6-22-300 annex 1, 4.3: gradually). */
  restore: z
    .strictObject({
      spreadMs: z.int().min(0).max(3_600_000),
      rampMs: z.int().min(0).max(3_600_000),
    })
    .optional(),
});

export type ProgramSetting = z.infer<typeof programSchema>;
export type Level = z.infer<typeof level>;

/** Where nothing is agreed: up to two minutes by chance, then up within one. */
const RESTORE_DEFAULT = { spreadMs: 120_000, rampMs: 60_000 } as const;

/**
 * How loads come back after what these programmes command, the gentlest of what was agreed.
 * @param chance this home's share of the spread, drawn in [−1, 1)
 */
export function restoreOf(programs: readonly Pick<ProgramSetting, 'restore'>[], chance: number): Restore {
  const agreed = programs.map(({ restore }) => restore ?? RESTORE_DEFAULT);
  const most = (of: 'spreadMs' | 'rampMs'): number => Math.max(...agreed.map((restore) => restore[of]));
  return { delayMs: Math.round((most('spreadMs') * (chance + 1)) / 2), rampMs: most('rampMs') };
}
