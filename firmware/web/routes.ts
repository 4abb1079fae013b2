/** The rows of the API. */
import * as z from 'zod';
import { ok, refuse } from '../domain/errors.ts';
import { accessRoutes, type Keepers } from './access.ts';
import type { WebDeps } from './deps.ts';
import { historyRoutes } from './history.ts';
import { openapiOf } from './openapi.ts';
import { overrideFault } from './override.ts';
import { pricesOf } from './prices.ts';
import { radioRoutes } from './radio.ts';
import { type Route, route, TAKEN } from './route.ts';
import { deviceParams, overrideSchema, pricesSchema, viewSchema } from './schema.ts';
import { viewOf } from './view.ts';

export function routesOf(deps: WebDeps, keepers: Keepers): readonly Route[] {
  const routes: Route[] = [
    ...accessRoutes(deps, keepers),
    ...houseRoutes(deps, keepers),
    ...historyRoutes(deps),
    ...radioRoutes(deps),
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

function houseRoutes(deps: WebDeps, { sessions, events }: Keepers): Route[] {
  return [
    route({
      method: 'GET',
      path: '/state',
      summary: 'The house now: power, limits, devices and their reasons, meters',
      access: 'session',
      answer: viewSchema,
      handle: () => ok(viewOf(deps.snapshot(), deps.info, deps.storage?.())),
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
      summary:
        "Sets the owner's wish for a device: now, not before a time, one run done by a time, off, or back to automatic",
      access: 'session',
      params: deviceParams,
      body: overrideSchema,
      answer: null,
      refusals: ['NOT_FOUND', 'INSTRUCTION_REJECTED'],
      handle: ({ params, body }) => {
        const device = deps.snapshot().image.devices.find(({ id }) => id === params.id);
        const mistake = overrideFault(body, device, deps.clock.wallMs());
        if (mistake) return refuse(mistake.code, mistake.message);
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
