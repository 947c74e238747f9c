import type { Call } from '@haat/kit/call'
import { denied, unauthenticated } from '@haat/kit/errors'
import type { LoginRequest, LoginResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { insertSession } from '../db/sessions.ts'
import { attempt, clearThrottle, loginKey, takeBack, throttleKey } from '../db/throttles.ts'
import { findUserByEmail, getUser, normalEmail, toUser } from '../db/users.ts'
import { clientAddress } from './client-address.ts'
import { sessionTokens } from './session-tokens.ts'

export async function login(ctx: AuthContext, request: LoginRequest, call: Call): Promise<LoginResponse> {
  const email = normalEmail(request.email)
  const { ip, network } = clientAddress(call, request.clientIp)
  const fromAddress = network
    ? await attempt(ctx, throttleKey('login-address', network), ctx.limits.addressFailures)
    : undefined
  await attempt(ctx, loginKey(email), ctx.limits.accountFailures)

  const found = await findUserByEmail(ctx.db, email)
  const { ok, isStale } = await ctx.passwords.verify(found?.password_hash, request.password)
  if (!ok || !found) throw credentialsInvalid()
  await clearThrottle(ctx.db, loginKey(email))
  if (fromAddress) await takeBack(ctx, fromAddress)
  if (found.status === 'blocked') throw accountBlocked()
  if (request.roles.length > 0 && !request.roles.some((role) => found.roles.includes(role)))
    throw denied('not_for_you', 'this account does not work here')

  const passwordHash = isStale ? await ctx.passwords.hash(request.password) : found.password_hash
  const now = ctx.now()
  const opened = await ctx.db.transaction().execute(async (tx) => {
    // Only if nobody changed the password or blocked the account since it was read: both end sessions, and miss later ones.
    const updated = await tx
      .updateTable('users')
      .set({ last_login_at: now, password_hash: passwordHash })
      .where('id', '=', found.id)
      .where('password_hash', '=', found.password_hash)
      .where('status', '!=', 'blocked')
      .returning('id')
      .executeTakeFirst()
    if (!updated) return undefined
    const session = await insertSession(tx, ctx, { userId: found.id, userAgent: request.userAgent ?? '', ip })
    return { session, user: await getUser(tx, found.id) }
  })
  if (!opened) {
    const current = await getUser(ctx.db, found.id)
    // The same person signed in twice at once, and the other call has renewed the hash.
    if (current.status !== 'blocked' && isStale && current.password_hash !== found.password_hash)
      return login(ctx, request, call)
    throw current.status === 'blocked' && !current.forgotten_at ? accountBlocked() : credentialsInvalid()
  }
  return { user: toUser(opened.user), tokens: await sessionTokens(ctx, opened.user, opened.session) }
}

export const credentialsInvalid = () => unauthenticated('credentials_invalid', 'e-mail or password is wrong')
export const accountBlocked = () => denied('account_blocked', 'this account is blocked')
