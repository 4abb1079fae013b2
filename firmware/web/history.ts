/** The rows of the API that tell what was. */
import * as z from 'zod';
import { ok, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { WebDeps } from './deps.ts';
import { energyDays } from './energy.ts';
import { journalSentence } from './journal-words.ts';
import { type Route, route } from './route.ts';
import { savingsOf } from './savings.ts';
import {
  energyDaysSchema,
  energyQuery,
  type JournalPage,
  journalQuery,
  journalSchema,
  savingsSchema,
  seriesQuery,
  seriesSchema,
  tariffQuery,
  tariffSchema,
  todaySchema,
} from './schema.ts';
import { tariffCheck } from './tariff.ts';
import { todayOf } from './today.ts';
import { placeOf } from './view.ts';
import { dateStart, monthStart } from './zone.ts';

const REACH = {
  raw: LIMITS.seriesRawMs,
  quarter: LIMITS.seriesQuarterMs,
  day: LIMITS.seriesDayMs,
} as const;

export const historyRoutes = (deps: WebDeps): Route[] => [...energyRoutes(deps), ...recordRoutes(deps)];

/** What flowed, and what it cost. */
function energyRoutes(deps: WebDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/today',
      summary: "Today's energy from and to the grid, and its cost at the prices of each slot",
      access: 'session',
      answer: todaySchema,
      handle: () => ok(todayOf(deps.snapshot(), deps.series, deps.info.gridMeter)),
    }),
    route({
      method: 'GET',
      path: '/savings',
      summary:
        'What control saved on the last day of each device, against the same day without it, and its error',
      access: 'session',
      answer: savingsSchema,
      handle: () => ok(savingsOf(deps.snapshot(), deps, deps.info.gridMeter)),
    }),
    route({
      method: 'GET',
      path: '/energy',
      summary:
        'Energy from and to the grid and its cost, per quarter hour or per day, from a day on; today when none is named',
      access: 'session',
      query: energyQuery,
      answer: energyDaysSchema,
      handle: ({ query: { day, days, per } }) => {
        const snapshot = deps.snapshot();
        const { site, wallMs } = snapshot.image;
        const dayMs = day === undefined ? wallMs : dateStart(site.timeZone, day);
        return ok(energyDays(snapshot, deps.series, deps.info.gridMeter, { dayMs, days, per }));
      },
    }),
    route({
      method: 'GET',
      path: '/tariff',
      summary:
        'What a month cost at the prices by the hour and at the fixed price; last month when none is named',
      access: 'session',
      query: tariffQuery,
      answer: tariffSchema,
      handle: ({ query: { month } }) => {
        const snapshot = deps.snapshot();
        const { site, wallMs } = snapshot.image;
        const zone = site.timeZone;
        const fromMs = month === undefined ? monthStart(zone, wallMs, -1) : dateStart(zone, `${month}-01`);
        const untilMs = Math.max(fromMs, Math.min(monthStart(zone, fromMs, 1), wallMs));
        return ok(tariffCheck(snapshot, deps.series, deps.info.gridMeter, fromMs, untilMs));
      },
    }),
  ];
}

/** What was stored, as it was. */
function recordRoutes(deps: WebDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/points',
      summary: 'The points that have a series',
      access: 'session',
      answer: z.object({ points: z.array(z.string()) }),
      handle: () => ok({ points: deps.series.points() }),
    }),
    route({
      method: 'GET',
      path: '/series',
      summary: 'Stored values of a point: as received (a day at most), per quarter hour, per day',
      access: 'session',
      query: seriesQuery,
      answer: seriesSchema,
      refusals: ['NOT_FOUND'],
      handle: ({ query }) => {
        const { point, resolution, from, until } = query;
        if (!deps.series.points().includes(point)) return refuse('NOT_FOUND', 'there is no such point');
        if (until <= from || until - from > REACH[resolution]) {
          return refuse(
            'FORM_INVALID',
            `query.until: at most ${REACH[resolution] / 86_400_000} days after from`,
          );
        }
        return ok({ point, rows: deps.series.read(point, resolution, from, until) });
      },
    }),
    route({
      method: 'GET',
      path: '/journal',
      summary: 'What happened, newest first',
      access: 'session',
      query: journalQuery,
      answer: journalSchema,
      handle: ({ query }) => ok(journalPage(deps, query)),
    }),
  ];
}

function journalPage(deps: WebDeps, query: z.infer<typeof journalQuery>): JournalPage {
  const { image, meters } = deps.snapshot();
  const names = new Map([
    ...meters.map((meter) => [meter.id, meter.name] as const),
    ...image.devices.map((device) => [device.id, device.flexibility.name] as const),
  ]);
  const programs = new Set(image.devices.filter((d) => d.flexibility.program).map((d) => d.id));
  const { limit, beforeId, kind, subject } = query;
  const rows = deps.journal.read({
    limit,
    ...(beforeId === undefined ? {} : { beforeId }),
    ...(kind === undefined ? {} : { kind }),
    ...(subject === undefined ? {} : { subject }),
  });
  const entries = rows.map((row) => ({
    id: row.id,
    atMs: row.atMs,
    kind: row.kind,
    subject: row.subject,
    code: row.code,
    // Said as on the day it happened: its times are relative to its own.
    sentence: journalSentence(
      { ...row, isProgram: row.subject !== null && programs.has(row.subject) },
      (id) => names.get(id) ?? id,
      { ...placeOf(image), nowMs: row.atMs },
    ),
  }));
  return { entries, nextBeforeId: entries.length < limit ? null : (entries.at(-1)?.id ?? null) };
}
