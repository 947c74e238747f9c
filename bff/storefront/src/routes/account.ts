import { AppError } from '@haat/kit/errors'
import { clientIp } from '@haat/kit/http/address'
import type { HttpEnv } from '@haat/kit/http/context'
import { limitBy } from '@haat/kit/http/rate-limit'
import { createRoutes, route } from '@haat/kit/http/route'
import { phoneSchema, strict, z } from '@haat/kit/http/schemas'
import { sessionKind, sessionRoutes, signedIn, signedInSchema } from '@haat/kit/http/session-routes'
import type { Context } from 'hono'
import { cartToken, forgetCart } from '../cart-token.ts'
import type { StorefrontContext } from '../context.ts'

const tags = ['auth']
const password = z.string().min(1).max(256)

const register = route({
  method: 'post',
  path: '/auth/register',
  summary: 'Create an account and sign in',
  tags,
  auth: 'public',
  rateClass: 'login',
  status: 201,
  body: strict({
    email: z.email().max(254),
    password,
    name: z.string().trim().min(1).max(120),
    phone: phoneSchema.optional(),
    locale: z.enum(['en', 'bn']).optional(),
    session: sessionKind,
  }),
  response: signedInSchema,
})
const forgot = route({
  method: 'post',
  path: '/auth/forgot-password',
  summary: 'Mail a link that sets a new password; the answer is the same for every address',
  tags,
  auth: 'public',
  rateClass: 'login',
  body: strict({ email: z.email().max(254) }),
})
const reset = route({
  method: 'post',
  path: '/auth/reset-password',
  summary: 'Set a new password with the token of the mail',
  tags,
  auth: 'public',
  rateClass: 'login',
  body: strict({ token: z.string().min(1).max(512), newPassword: password }),
})
const verify = route({
  method: 'post',
  path: '/auth/verify-email',
  summary: 'Confirm an e-mail address with the token of the mail',
  tags,
  auth: 'public',
  rateClass: 'login',
  body: strict({ token: z.string().min(1).max(512) }),
})
const change = route({
  method: 'post',
  path: '/auth/change-password',
  summary: 'Change the password; other sessions end',
  tags,
  auth: 'user',
  rateClass: 'login',
  body: strict({ currentPassword: password, newPassword: password }),
})

export function accountRoutes(ctx: StorefrontContext) {
  /** What a guest had in the cart goes along; a login never fails for its sake. */
  const takeCartAlong = async (c: Context<HttpEnv>) => {
    const token = cartToken(c).cartToken
    if (!token) return
    try {
      await ctx.cart.mergeCart({ cartToken: token })
      forgetCart(c)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      c.get('call').log.warn({ code: error.code }, 'cart not merged')
    }
  }
  return createRoutes()
    .route('/', sessionRoutes({ auth: ctx.auth, sessions: ctx.sessions, onLogin: takeCartAlong }))
    .openapi(register, async (c) => {
      const { session, phone, locale, ...rest } = c.req.valid('json')
      await limitBy(c, 'login', rest.email.toLowerCase())
      const answer = await ctx.auth.register({
        ...rest,
        ...(phone ? { phone } : {}),
        ...(locale ? { locale } : {}),
        clientIp: clientIp(c),
        userAgent: c.req.header('user-agent')?.slice(0, 512) ?? '',
      })
      const body = await signedIn(c, ctx.sessions, session, answer)
      await takeCartAlong(c)
      return c.json(body, 201)
    })
    .openapi(forgot, async (c) => {
      const { email } = c.req.valid('json')
      await limitBy(c, 'login', email.toLowerCase())
      await ctx.auth.forgotPassword({ email, clientIp: clientIp(c) })
      return c.body(null, 204)
    })
    .openapi(reset, async (c) => {
      await ctx.auth.resetPassword(c.req.valid('json'))
      return c.body(null, 204)
    })
    .openapi(verify, async (c) => {
      await ctx.auth.verifyEmail(c.req.valid('json'))
      return c.body(null, 204)
    })
    .openapi(change, async (c) => {
      await ctx.auth.changePassword(c.req.valid('json'))
      return c.body(null, 204)
    })
}
