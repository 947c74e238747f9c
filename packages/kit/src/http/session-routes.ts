import { type AuthServiceClient, type SessionTokens, User } from '@haat/proto/auth/v1/auth'
import type { Context } from 'hono'
import { clientIp } from './address.ts'
import type { HttpEnv } from './context.ts'
import { limitBy } from './rate-limit.ts'
import { createRoutes, route } from './route.ts'
import { strict, z } from './schemas.ts'
import type { Sessions } from './sessions.ts'
import { viewOf } from './view.ts'

const user = viewOf(User)

export const sessionKind = z
  .enum(['cookie', 'token'])
  .default('cookie')
  .openapi({ description: '`cookie`: a browser session; `token`: the tokens themselves, for API clients' })

export const signedInSchema = z
  .object({
    user: user.schema,
    csrfToken: z
      .string()
      .optional()
      .openapi({ description: 'Browser sessions: send it as `x-csrf-token` with every write' }),
    accessToken: z.string().optional(),
    refreshToken: z.string().optional(),
    expiresAt: z.iso.datetime().optional(),
  })
  .openapi('SignedIn')

/** Answers a login in the form the client asked for: a cookie session (no token leaves us), or the tokens. */
export async function signedIn(
  c: Context<HttpEnv>,
  sessions: Sessions,
  kind: z.infer<typeof sessionKind>,
  answer: { user?: User | undefined; tokens?: SessionTokens | undefined },
) {
  const tokens = answer.tokens!
  const shown = { user: user.toJson(answer.user!) }
  if (kind === 'cookie') return { ...shown, csrfToken: (await sessions.create(c, tokens)).csrfToken }
  c.get('call').authorization = `Bearer ${tokens.accessToken}`
  return {
    ...shown,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    ...(tokens.accessTokenExpiresAt ? { expiresAt: tokens.accessTokenExpiresAt.toISOString() } : {}),
  }
}

const login = route({
  method: 'post',
  path: '/auth/login',
  summary: 'Sign in',
  tags: ['auth'],
  auth: 'public',
  rateClass: 'login',
  body: strict({ email: z.email().max(254), password: z.string().min(1).max(256), session: sessionKind }),
  response: signedInSchema,
})
const refresh = route({
  method: 'post',
  path: '/auth/refresh',
  summary: 'New tokens for a refresh token (API clients; browser sessions renew themselves)',
  tags: ['auth'],
  auth: 'public',
  rateClass: 'login',
  body: strict({ refreshToken: z.string().min(1).max(512) }),
  response: signedInSchema,
})
const logout = route({
  method: 'post',
  path: '/auth/logout',
  summary: 'Sign out',
  tags: ['auth'],
  auth: 'public',
  body: strict({ refreshToken: z.string().min(1).max(512).optional() }),
})
const session = route({
  method: 'get',
  path: '/session',
  summary: 'Who is signed in, and the CSRF token of the browser session',
  tags: ['auth'],
  auth: 'user',
  response: z.object({ user: user.schema, csrfToken: z.string().nullable() }).openapi('Session'),
})

/**
 * Login, refresh, logout and session of a BFF. Without one of `roles` an account cannot sign in here (PERMISSION_DENIED
 * `not_for_you`); `onLogin` runs as the person who signed in.
 */
export function sessionRoutes(options: {
  auth: AuthServiceClient
  sessions: Sessions
  roles?: string[]
  onLogin?: (c: Context<HttpEnv>) => Promise<void>
}) {
  const { auth, sessions } = options
  return createRoutes()
    .openapi(login, async (c) => {
      const { email, password, session: kind } = c.req.valid('json')
      await limitBy(c, 'login', email.toLowerCase())
      const answer = await auth.login({
        email,
        password,
        clientIp: clientIp(c),
        userAgent: c.req.header('user-agent')?.slice(0, 512) ?? '',
        ...(options.roles ? { roles: options.roles } : {}),
      })
      const body = await signedIn(c, sessions, kind, answer)
      await options.onLogin?.(c)
      return c.json(body, 200)
    })
    .openapi(refresh, async (c) => {
      const answer = await auth.refresh({ refreshToken: c.req.valid('json').refreshToken, clientIp: clientIp(c) })
      return c.json(await signedIn(c, sessions, 'token', answer), 200)
    })
    .openapi(logout, async (c) => {
      const refreshToken = c.req.valid('json').refreshToken ?? (await sessions.destroy(c))
      if (refreshToken) await auth.logout({ refreshToken })
      return c.body(null, 204)
    })
    .openapi(session, async (c) => {
      const answer = await auth.getMe({})
      return c.json({ user: user.toJson(answer.user!), csrfToken: c.get('session')?.csrfToken ?? null }, 200)
    })
}
