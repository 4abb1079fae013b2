/** Who may in: the owner's password, sessions, and what stands against guessing. */
import { ok, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Attempts } from './attempts.ts';
import type { WebDeps } from './deps.ts';
import type { Events } from './events.ts';
import { type OwnerPassword, sameText } from './password.ts';
import { type Call, type Route, route } from './route.ts';
import { changePasswordSchema, passwordSchema, sessionSchema, setupSchema } from './schema.ts';
import type { Sessions } from './sessions.ts';

export const COOKIE = 'hearth';
const COOKIE_OPTIONS = { path: '/', httpOnly: true, sameSite: 'strict' } as const;

export interface Keepers {
  readonly password: OwnerPassword;
  readonly sessions: Sessions;
  readonly attempts: Attempts;
  readonly events: Events;
}

type NoteCode = 'OWNER_SET_UP' | 'SIGNED_IN' | 'PASSWORD_CHANGED' | 'TOO_MANY';

export function accessRoutes(deps: WebDeps, keepers: Keepers): Route[] {
  return [setupRoute(deps, keepers), passwordRoute(deps, keepers), ...sessionRoutes(deps, keepers)];
}

function note({ journal, clock }: WebDeps, code: NoteCode, message: string): void {
  journal.record({ atMs: clock.wallMs(), kind: 'system', subject: null, code, detail: { message } });
}

function signIn({ sessions, attempts }: Keepers, { request, reply }: Call): void {
  attempts.welcome(request.ip);
  const maxAge = Math.floor(LIMITS.sessionMs / 1000);
  reply.setCookie(COOKIE, sessions.open(), { ...COOKIE_OPTIONS, maxAge });
}

/** A secret that is asked for, with the bound on guesses. */
async function guessed<T>(
  { deps, attempts }: { readonly deps: WebDeps; readonly attempts: Attempts },
  { request, reply, session }: Call,
  check: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const caller = { address: request.ip, session };
  const waitMs = attempts.waitMs(caller);
  if (waitMs > 0) {
    reply.header('retry-after', Math.ceil(waitMs / 1000));
    return refuse('TOO_MANY', `too many wrong passwords; try again in ${Math.ceil(waitMs / 60_000)} min`);
  }
  // Booked before it is checked, so that many at once cannot slip past the bound.
  attempts.failed(caller);
  const checked = await check();
  if (checked.ok) attempts.succeeded(caller);
  else if (attempts.waitMs(caller) > 0) note(deps, 'TOO_MANY', `too many wrong passwords from ${request.ip}`);
  return checked;
}

function setupRoute(deps: WebDeps, keepers: Keepers): Route {
  const { password, attempts } = keepers;
  const code = deps.setupCode ?? null;
  return route({
    method: 'POST',
    path: '/setup',
    summary:
      "Sets the owner's password at the first start, and signs in; `code` where the gateway asks for one",
    access: 'unset',
    body: setupSchema,
    answer: null,
    refusals: ['ALREADY_DONE', 'NOT_ALLOWED', 'TOO_MANY'],
    handle: async ({ body }, call) => {
      const given = body.code ?? '';
      if (code !== null) {
        const checked = await guessed({ deps, attempts }, call, async () =>
          sameText(given.trim(), code)
            ? ok(null)
            : refuse('NOT_ALLOWED', 'this is not the set-up code of this gateway'),
        );
        if (!checked.ok) return checked;
      }
      const set = await password.setFirst(body.password);
      if (!set.ok) return set;
      note(deps, 'OWNER_SET_UP', "the owner's password was set");
      signIn(keepers, call);
      return ok(null);
    },
  });
}

function passwordRoute(deps: WebDeps, keepers: Keepers): Route {
  const { password, sessions, attempts } = keepers;
  return route({
    method: 'POST',
    path: '/password',
    summary: 'Changes the password; every other session ends',
    access: 'session',
    body: changePasswordSchema,
    answer: null,
    refusals: ['NOT_ALLOWED', 'TOO_MANY'],
    handle: async ({ body }, call) => {
      const checked = await guessed({ deps, attempts }, call, () => password.check(body.password));
      // 401 would lead the page to the sign-in: the session is good, the old password was not.
      if (!checked.ok && checked.error.code === 'NOT_AUTHENTICATED')
        return refuse('NOT_ALLOWED', 'this is not the present password');
      const changed = checked.ok ? await password.replace(body.next) : checked;
      if (!changed.ok) return changed;
      sessions.endAll();
      attempts.forget();
      note(deps, 'PASSWORD_CHANGED', `the owner's password was changed from ${call.request.ip}`);
      signIn(keepers, call);
      return ok(null);
    },
  });
}

function sessionRoutes(deps: WebDeps, keepers: Keepers): Route[] {
  const { password, sessions, attempts } = keepers;
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
          setupCode: !password.isSet && (deps.setupCode ?? null) !== null,
          signedIn: session !== null,
          home: session === null ? null : deps.info.name,
        }),
    }),
    route({
      method: 'POST',
      path: '/session',
      summary: 'Signs in',
      access: 'open',
      body: passwordSchema,
      answer: null,
      refusals: ['NOT_AUTHENTICATED', 'TOO_MANY'],
      handle: async ({ body }, call) => {
        const checked = await guessed({ deps, attempts }, call, () => password.check(body.password));
        if (!checked.ok) return checked;
        note(deps, 'SIGNED_IN', `signed in from ${call.request.ip}`);
        signIn(keepers, call);
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
        reply.clearCookie(COOKIE, COOKIE_OPTIONS);
        return ok(null);
      },
    }),
  ];
}
