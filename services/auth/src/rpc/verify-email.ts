import { failedPrecondition } from '@haat/kit/errors'
import { sql } from '@haat/kit/postgres'
import type { VerifyEmailRequest, VerifyEmailResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { hashOf } from '../domain/secrets.ts'

export async function verifyEmail(ctx: AuthContext, request: VerifyEmailRequest): Promise<VerifyEmailResponse> {
  const now = ctx.now()
  return ctx.db.transaction().execute(async (tx) => {
    const verification = await tx
      .updateTable('email_verifications')
      .set({ used_at: sql<Date>`coalesce(used_at, ${now}::timestamptz)` })
      .where('token_hash', '=', hashOf(request.token))
      .where('expires_at', '>', now)
      .returning('user_id')
      .executeTakeFirst()
    if (!verification)
      throw failedPrecondition('verification_token_invalid', 'this link does not work any more; ask for a new one')
    await tx
      .updateTable('users')
      .set({
        email_verified_at: now,
        updated_at: now,
        status: sql`case status when 'pending' then 'active' else status end`,
      })
      .where('id', '=', verification.user_id)
      .where('email_verified_at', 'is', null)
      .where('forgotten_at', 'is', null)
      .execute()
    return { userId: verification.user_id }
  })
}
