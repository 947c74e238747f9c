import type { Call } from '@haat/kit/call'
import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { ForgotPasswordRequest, ForgotPasswordResponse } from '@haat/proto/auth/v1/auth'
import { UserPasswordResetRequested } from '@haat/proto/auth/v1/events'
import type { AuthContext } from '../context.ts'
import { resetKey, throttleKey, use } from '../db/throttles.ts'
import { findUserByEmail, normalEmail } from '../db/users.ts'
import { hashOf, newToken } from '../domain/secrets.ts'
import { clientAddress } from './client-address.ts'

const RESET_MS = 3_600_000

export async function forgotPassword(
  ctx: AuthContext,
  request: ForgotPasswordRequest,
  call: Call,
): Promise<ForgotPasswordResponse> {
  const email = normalEmail(request.email)
  const { network } = clientAddress(call, request.clientIp)
  if (network) await use(ctx, throttleKey('reset-address', network), ctx.limits.resetsPerAddress)
  await use(ctx, resetKey(email), ctx.limits.mailsPerAccount)

  const found = await findUserByEmail(ctx.db, email)
  const user = found && found.status !== 'blocked' ? found : undefined
  const token = newToken()
  const now = ctx.now()
  const expiresAt = new Date(now.getTime() + RESET_MS)
  await ctx.db.transaction().execute(async (tx) => {
    // The row of an unknown address serves nobody: it makes both cases take the same time.
    await tx
      .insertInto('password_resets')
      .values({
        id: newId(now.getTime()),
        user_id: user?.id ?? null,
        token_hash: hashOf(token),
        created_at: now,
        expires_at: expiresAt,
        used_at: null,
      })
      .execute()
    if (!user) return
    const { id: userId, name, locale } = user
    await emit(tx, UserPasswordResetRequested, { userId, email, name, locale, token, expiresAt })
  })
  return {}
}
