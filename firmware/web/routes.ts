/** The rows of the API. */
import * as z from 'zod';
import { ok, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Attempts } from './attempts.ts';
import type { WebDeps } from './deps.ts';
import type { Events } from './events.ts';
import { openapiOf } from './openapi.ts';
import type { OwnerPassword } from './password.ts';
import { pricesOf } from './prices.ts';
import { type Route, route, TAKEN } from './route.ts';
import {
  deviceParams,
  type JournalPage,
  journalQuery,
  journalSchema,
  newPasswordSchema,
  overrideSchema,
  passwordSchema,
  pricesSchema,
  seriesQuery,
  seriesSchema,
  sessionSchema,
  todaySchema,
  viewSchema,
} from './schema.ts';
import { journalSentence } from './sentences.ts';
import type { Sessions } from './sessions.ts';
import { todayOf } from './today.ts';
import { placeOf, viewOf } from './view.ts';

export const COOKIE = 'hearth';

export interface Keepers {
  readonly password: OwnerPassword;
  readonly sessions: Sessions;
  readonly attempts: Attempts;
  readonly events: Events;
}

export function routesOf(deps: WebDeps, keepers: Keepers): readonly Route[] {
  const routes: Route[] = [
    ...accessRoutes(deps, keepers),
    ...houseRoutes(deps, keepers),
    ...historyRoutes(deps),
    route({
      method: 'GET',
      path: '/openapi.json',
      summary: 'This description',
      access: 'session',
      answer: z.record(z.string(), z.unknown()),
      handle: () => ok(openapiOf(routes, deps.info.version)),
    }),
  ];
  return routes;
}

function accessRoutes(deps: WebDeps, { password, sessions, attempts }: Keepers): Route[] {
  const note = (code: 'OWNER_SET_UP' | 'SIGNED_IN' | 'TOO_MANY', message: string): void =>
    deps.journal.record({
      atMs: deps.clock.wallMs(),
      kind: 'system',
      subject: null,
      code,
      detail: { message },
    });
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict' } as const;
  const signIn = (reply: { setCookie(name: string, value: string, options: object): unknown }): void => {
    reply.setCookie(COOKIE, sessions.open(), { ...cookie, maxAge: Math.floor(LIMITS.sessionMs / 1000) });
  };
  return [
    route({
      method: 'GET',
      path: '/session',
      summary: 'Whether the owner has set a password, and whether the caller is signed in',
      access: 'open',
      answer: sessionSchema,
      handle: (_, { session }) =>
        ok({
          setUp: password.isSet,
          signedIn: session !== null,
          home: session === null ? null : deps.info.name,
        }),
    }),
    route({
      method: 'POST',
      path: '/setup',
      summary: "Sets the owner's password at the first start, and signs in",
      access: 'unset',
      body: newPasswordSchema,
      answer: null,
      refusals: ['ALREADY_DONE', 'TOO_MANY'],
      handle: async ({ body }, { reply }) => {
        const set = await password.setFirst(body.password);
        if (!set.ok) return set;
        note('OWNER_SET_UP', "the owner's password was set");
        signIn(reply);
        return ok(null);
      },
    }),
    route({
      method: 'POST',
      path: '/session',
      summary: 'Signs in',
      access: 'open',
      body: passwordSchema,
      answer: null,
      refusals: ['NOT_AUTHENTICATED', 'TOO_MANY'],
      handle: async ({ body }, { request, reply }) => {
        const waitMs = attempts.waitMs(request.ip);
        if (waitMs > 0) {
          reply.header('retry-after', Math.ceil(waitMs / 1000));
          return refuse(
            'TOO_MANY',
            `too many wrong passwords; try again in ${Math.ceil(waitMs / 60_000)} min`,
          );
        }
        // Booked before it is checked, so that many at once cannot slip past the bound.
        attempts.failed(request.ip);
        const checked = await password.check(body.password);
        if (!checked.ok) {
          if (attempts.waitMs(request.ip) > 0)
            note('TOO_MANY', `too many wrong passwords from ${request.ip}`);
          return checked;
        }
        attempts.succeeded(request.ip);
        note('SIGNED_IN', `signed in from ${request.ip}`);
        signIn(reply);
        return ok(null);
      },
    }),
    route({
      method: 'DELETE',
      path: '/session',
      summary: 'Signs out',
      access: 'session',
      answer: null,
      handle: (_, { session, reply }) => {
        if (session !== null) sessions.end(session);
        reply.clearCookie(COOKIE, cookie);
        return ok(null);
      },
    }),
  ];
}

function houseRoutes(deps: WebDeps, { sessions, events }: Keepers): Route[] {
  return [
    route({
      method: 'GET',
      path: '/state',
      summary: 'The house now: power, limits, devices and their reasons, meters',
      access: 'session',
      answer: viewSchema,
      handle: () => ok(viewOf(deps.snapshot(), deps.info)),
    }),
    route({
      method: 'GET',
      path: '/events',
      summary: 'The same as a stream: `state` with a View whenever it changes, `beat` in between',
      access: 'session',
      answer: viewSchema,
      contentType: 'text/event-stream',
      refusals: ['TOO_MANY'],
      handle: (_, { reply, request, session }) => {
        if (events.full) return refuse('TOO_MANY', 'too many pages are open');
        reply.hijack();
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) reply.raw.setHeader(name, value);
        }
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        const gone = events.add(reply.raw, () => session !== null && sessions.isOpen(session));
        request.raw.on('close', gone);
        reply.raw.on('close', gone);
        return TAKEN;
      },
    }),
    route({
      method: 'POST',
      path: '/devices/:id/override',
      summary: "Sets the owner's wish for a device: now, not before a time, off, or back to automatic",
      access: 'session',
      params: deviceParams,
      body: overrideSchema,
      answer: null,
      refusals: ['NOT_FOUND', 'INSTRUCTION_REJECTED'],
      handle: ({ params, body }) => {
        const endMs = body.kind === 'now' ? body.untilMs : body.kind === 'notBefore' ? body.atMs : null;
        const nowMs = deps.clock.wallMs();
        if (endMs !== null && (endMs <= nowMs || endMs > nowMs + LIMITS.overrideAheadMs)) {
          return refuse('FORM_INVALID', 'the time must lie ahead, by at most 7 days');
        }
        return deps.setOverride(params.id, body);
      },
    }),
    route({
      method: 'GET',
      path: '/prices',
      summary: 'The price curve of today and tomorrow, and what is planned when',
      access: 'session',
      answer: pricesSchema,
      handle: () => ok(pricesOf(deps.snapshot())),
    }),
  ];
}

const REACH = {
  raw: LIMITS.seriesRawMs,
  quarter: LIMITS.seriesQuarterMs,
  day: LIMITS.seriesDayMs,
} as const;

function historyRoutes(deps: WebDeps): Route[] {
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
    sentence: journalSentence(row, (id) => names.get(id) ?? id, { ...placeOf(image), nowMs: row.atMs }),
  }));
  return { entries, nextBeforeId: entries.length < limit ? null : (entries.at(-1)?.id ?? null) };
}
