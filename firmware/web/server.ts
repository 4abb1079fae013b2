/** The homeowner's page and the API beside it: one small HTTP server on the local network. */
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { type Fault, fault, HearthError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { COOKIE, type Keepers } from './access.ts';
import { Attempts } from './attempts.ts';
import type { WebDeps, WebOptions } from './deps.ts';
import { Events } from './events.ts';
import { type PageFile, readPage } from './files.ts';
import { PREFIX } from './openapi.ts';
import { isOwnHost, isOwnOrigin } from './origin.ts';
import { OwnerPassword, sameText } from './password.ts';
import { type Route, statusOf, TAKEN } from './route.ts';
import { routesOf } from './routes.ts';
import { Sessions } from './sessions.ts';
import { viewOf } from './view.ts';

export type { SiteInfo, WebDeps, WebOptions } from './deps.ts';

export interface Web {
  /** The port it listens on. */
  readonly port: number;
  /** The snapshot has changed: open pages get it, at most once a second each. */
  notify(): void;
  /** Ends every stream and connection. */
  close(): Promise<void>;
}

/** Listens on the local network. Rejects with LINK_REFUSED when the address or port cannot be had. */
export async function openWeb(options: WebOptions, deps: WebDeps): Promise<Web> {
  const { app, events } = await buildWeb(deps);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await app.close();
    throw new HearthError('LINK_REFUSED', `the page cannot listen on ${options.host}:${options.port}`, error);
  }
  const address = app.server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    notify: () => events.notify(),
    close: () => app.close(),
  };
}

export interface Built {
  readonly app: FastifyInstance;
  readonly events: Events;
  readonly routes: readonly Route[];
}

/** Everything but the socket; tests inject requests into it. */
export async function buildWeb(deps: WebDeps, page = readPage()): Promise<Built> {
  const events = new Events(deps.clock, () =>
    JSON.stringify(viewOf(deps.snapshot(), deps.info, deps.storage?.())),
  );
  const keepers: Keepers = {
    password: new OwnerPassword(deps.settings, deps.random),
    sessions: new Sessions(deps.settings, deps.random, deps.clock),
    attempts: new Attempts(deps.clock),
    events,
  };
  const app = fastify({
    logger: false,
    bodyLimit: LIMITS.requestBody_bytes,
    forceCloseConnections: true,
    requestTimeout: 30_000,
    connectionTimeout: 0,
    routerOptions: { maxParamLength: 64 },
    // No route has a JSON Schema for fastify: zod checks them here, and two compilers stay out of memory.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  });
  app.server.maxConnections = LIMITS.webConnections;
  // Only JSON is read: a form on another site cannot send that without asking first.
  app.removeContentTypeParser('text/plain');
  await app.register(helmet, HEADERS);
  await app.register(cookie);
  app.addHook('onRequest', async (request, reply) => guard(request, reply, deps, keepers));
  app.setErrorHandler((error: FastifyError, _, reply) => answer(reply, faultOfHttp(error, deps)));
  app.setNotFoundHandler((request, reply) => notFound(request, reply, keepers));
  const routes = routesOf(deps, keepers);
  for (const route of routes) serve(app, route, keepers);
  for (const [address, file] of page) servePage(app, address, file, keepers);
  if (deps.metrics) serveMetrics(app, deps.metrics, deps.metricsToken ?? null, keepers);
  app.addHook('preClose', async () => events.close());
  return { app, events, routes };
}

const noCompiler = () => (): never => {
  throw new HearthError('INTERNAL', 'routes are checked by zod, not by a JSON Schema');
};

/** Nothing but what comes from this board; no HSTS, since a home network has no certificate. */
const HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
} as const;

const answer = (reply: FastifyReply, refused: Fault): FastifyReply =>
  reply.code(statusOf(refused.code)).header('cache-control', 'no-store').send(refused);

const isApi = (request: FastifyRequest): boolean => request.url.startsWith('/api/');
const changes = (request: FastifyRequest): boolean => !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
const sessionOf = (request: FastifyRequest, { sessions }: Keepers): string | null =>
  sessions.find(request.cookies[COOKIE]);

/** Before any route: the right host, and the right origin for what changes something. */
function guard(request: FastifyRequest, reply: FastifyReply, deps: WebDeps, { password }: Keepers) {
  const { host, origin } = request.headers;
  if (!isOwnHost(host, deps.info.hosts)) {
    return answer(reply, fault('NOT_ALLOWED', 'open the page by its address or its local name'));
  }
  const site = request.headers['sec-fetch-site'];
  if (changes(request) && !isOwnOrigin(origin, typeof site === 'string' ? site : undefined, host)) {
    return answer(reply, fault('NOT_ALLOWED', 'the request comes from another site'));
  }
  if (password.isSet || reachableUnset(request)) return undefined;
  if (isApi(request) || changes(request)) {
    return answer(reply, fault('NOT_ALLOWED', "set the owner's password first, at /setup"));
  }
  return reply.redirect('/setup');
}

/** What can be reached before the owner has set a password: the page for it, and nothing else. */
function reachableUnset(request: FastifyRequest): boolean {
  const [path = ''] = request.url.split('?');
  const { method } = request;
  if (method === 'POST') return path === `${PREFIX}/setup`;
  return (
    method === 'GET' && ['/setup', '/gate.js', '/style.css', '/icon.svg', `${PREFIX}/session`].includes(path)
  );
}

function serve(app: FastifyInstance, route: Route, keepers: Keepers): void {
  app.route({
    method: route.method,
    url: PREFIX + route.path,
    handler: async (request, reply) => {
      const session = sessionOf(request, keepers);
      if (route.access === 'session' && session === null) return answer(reply, fault('NOT_AUTHENTICATED'));
      if (route.access === 'unset' && keepers.password.isSet) return answer(reply, fault('ALREADY_DONE'));
      const result = await route.run({ request, reply, session });
      if (result === TAKEN) return reply;
      if (!result.ok) return answer(reply, result.error);
      reply.header('cache-control', 'no-store');
      return route.answer === null ? reply.code(204).send() : reply.send(result.value);
    },
  });
}

function servePage(app: FastifyInstance, address: string, file: PageFile, keepers: Keepers): void {
  app.get(address, async (request, reply) => {
    if (file.access === 'home' && sessionOf(request, keepers) === null) return reply.redirect('/sign-in');
    if (address === '/setup' && keepers.password.isSet) return reply.redirect('/');
    reply.header('cache-control', 'no-cache').header('etag', file.etag).header('vary', 'accept-encoding');
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    reply.type(file.type);
    if (file.gzip === null || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? ''))
      return reply.send(file.bytes);
    return reply.header('content-encoding', 'gzip').send(file.gzip);
  });
}

function serveMetrics(
  app: FastifyInstance,
  text: () => string,
  token: string | null,
  keepers: Keepers,
): void {
  app.get('/metrics', async (request, reply) => {
    const bearer = /^Bearer (.{1,256})$/.exec(request.headers.authorization ?? '')?.[1];
    const known = token !== null && bearer !== undefined && sameText(bearer, token);
    if (!known && sessionOf(request, keepers) === null) return answer(reply, fault('NOT_AUTHENTICATED'));
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text());
  });
}

function notFound(request: FastifyRequest, reply: FastifyReply, keepers: Keepers): FastifyReply {
  if (!isApi(request) && sessionOf(request, keepers) === null) return reply.redirect('/sign-in');
  return answer(reply, fault('NOT_FOUND', `there is no ${request.method} here`));
}

/** What fastify or a handler threw, as a coded fault; the inside of an internal one goes to the journal only. */
function faultOfHttp(error: FastifyError, deps: WebDeps): Fault {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return fault('OVERSIZED', 'the body is too large');
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return fault('FORM_INVALID', error.message);
  deps.journal.record({
    atMs: deps.clock.wallMs(),
    kind: 'fault',
    subject: null,
    code: 'INTERNAL',
    detail: { message: error.message },
  });
  return fault('INTERNAL');
}
