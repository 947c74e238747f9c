import { type Call, requireUser } from '@haat/kit/call'
import type { ChangePasswordRequest, ChangePasswordResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { attempt, clearThrottle, passwordKey } from '../db/throttles.ts'
import { getUser } from '../db/users.ts'
import { credentialsInvalid } from './login.ts'
import { checkNewPassword } from './new-password.ts'
import { endWhatOldPasswordOpened } from './new-password-effects.ts'

export async function changePassword(
  ctx: AuthContext,
  request: ChangePasswordRequest,
  call: Call,
): Promise<ChangePasswordResponse> {
  const user = await getUser(ctx.db, requireUser(call))
  await attempt(ctx, passwordKey(user.id), ctx.limits.accountFailures)
  const { ok } = await ctx.passwords.verify(user.password_hash, request.currentPassword)
  if (!ok) throw credentialsInvalid()
  await clearThrottle(ctx.db, passwordKey(user.id))
  checkNewPassword(ctx, request.newPassword, { email: user.email ?? '', name: user.name })

  const passwordHash = await ctx.passwords.hash(request.newPassword)
  const now = ctx.now()
  await ctx.db.transaction().execute(async (tx) => {
    const updated = await tx
      .updateTable('users')
      .set({ password_hash: passwordHash, updated_at: now })
      .where('id', '=', user.id)
      // Of two changes at once one wins; for the other the current password is wrong by now.
      .where('password_hash', '=', user.password_hash)
      .returning('id')
      .executeTakeFirst()
    if (!updated) throw credentialsInvalid()
    await endWhatOldPasswordOpened(tx, user, call.caller.sessionId, now)
  })
  return {}
}
