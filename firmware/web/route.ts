/** One row per route of the API: what it takes, what it answers, who may call it. OpenAPI is made from the rows. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { type ErrorCode, type Result, refuse } from '../domain/errors.ts';

/** `open`: anybody. `unset`: only before the password is set. `session`: the owner. */
export type Access = 'open' | 'unset' | 'session';

export interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Id of the session of the caller, null when not signed in. */
  readonly session: string | null;
}

/** The answer of a handler that has taken the response over (a stream). */
export const TAKEN = Symbol('taken');

type Answer = Result<unknown> | typeof TAKEN;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `:name` for parameters, below /api/v1. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType | null;
  /** Null is an answer without a body (204). */
  readonly answer: z.ZodType | null;
  readonly contentType: string;
  /** Codes that this route can refuse with, besides those every route can. */
  readonly refusals: readonly ErrorCode[];
  run(call: Call): Promise<Answer>;
}

interface Given<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

interface Spec<P, Q, B> {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  readonly answer: z.ZodType | null;
  readonly contentType?: string;
  readonly refusals?: readonly ErrorCode[];
  handle(given: Given<P, Q, B>, call: Call): Answer | Promise<Answer>;
}

const nothing = z.object({});

/** Makes a row whose handler gets checked values only; what does not fit is refused with FORM_INVALID. */
export function route<P = unknown, Q = unknown, B = unknown>(spec: Spec<P, Q, B>): Route {
  const params = spec.params ?? (nothing as unknown as z.ZodType<P>);
  const query = spec.query ?? (nothing as unknown as z.ZodType<Q>);
  const body = spec.body ?? (z.unknown() as z.ZodType<B>);
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    access: spec.access,
    params,
    query,
    body: spec.body ?? null,
    answer: spec.answer,
    contentType: spec.contentType ?? 'application/json',
    refusals: spec.refusals ?? [],
    async run(call) {
      const { request } = call;
      const given = {
        params: params.safeParse(request.params),
        query: query.safeParse(request.query),
        body: body.safeParse(request.body),
      };
      const mistakes = Object.entries(given).flatMap(([where, { error }]) =>
        (error?.issues ?? []).map((issue) => `${[where, ...issue.path].join('.')}: ${issue.message}`),
      );
      if (!given.params.success || !given.query.success || !given.body.success) {
        return refuse('FORM_INVALID', mistakes.slice(0, 10).join('; '));
      }
      return spec.handle({ params: given.params.data, query: given.query.data, body: given.body.data }, call);
    },
  };
}

/** HTTP status of a refusal. What is not listed here is the request's own mistake (422). */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  FORM_INVALID: 400,
  NOT_AUTHENTICATED: 401,
  NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  ALREADY_DONE: 409,
  OVERSIZED: 413,
  TOO_MANY: 429,
  INTERNAL: 500,
};

export const statusOf = (code: ErrorCode): number => STATUS[code] ?? 422;
