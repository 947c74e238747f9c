import { failedPrecondition } from '@haat/kit/errors'
import { sql } from '@haat/kit/postgres'
import type { ResetPasswordRequest, ResetPasswordResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { clearThrottle, loginKey } from '../db/throttles.ts'
import { findUser } from '../db/users.ts'
import { hashOf } from '../domain/secrets.ts'
import { checkNewPassword } from './new-password.ts'
import { endWhatOldPasswordOpened } from './new-password-effects.ts'

export async function resetPassword(ctx: AuthContext, request: ResetPasswordRequest): Promise<ResetPasswordResponse> {
  const tokenHash = hashOf(request.token)
  const reset = await ctx.db
    .selectFrom('password_resets')
    .select(['id', 'user_id'])
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', ctx.now())
    .executeTakeFirst()
  const user = reset?.user_id ? await findUser(ctx.db, reset.user_id) : undefined
  if (!reset || !user?.email || user.status === 'blocked') throw resetTokenInvalid()
  checkNewPassword(ctx, request.newPassword, { email: user.email, name: user.name })

  const passwordHash = await ctx.passwords.hash(request.newPassword)
  const now = ctx.now()
  await ctx.db.transaction().execute(async (tx) => {
    // Whoever holds the token reads the mail of this address, so the address is confirmed as well.
    const updated = await tx
      .updateTable('users')
      .set({
        password_hash: passwordHash,
        updated_at: now,
        email_verified_at: sql<Date>`coalesce(email_verified_at, ${now}::timestamptz)`,
        status: 'active',
      })
      .where('id', '=', user.id)
      .where('status', '!=', 'blocked')
      .returning('id')
      .executeTakeFirst()
    const spent = await tx
      .updateTable('password_resets')
      .set({ used_at: now })
      .where('id', '=', reset.id)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .returning('id')
      .executeTakeFirst()
    if (!updated || !spent) throw resetTokenInvalid()
    await endWhatOldPasswordOpened(tx, user, undefined, now)
  })
  await clearThrottle(ctx.db, loginKey(user.email))
  return {}
}

const resetTokenInvalid = () =>
  failedPrecondition('reset_token_invalid', 'this link does not work any more; ask for a new one')
