import { notFound } from '@haat/kit/errors'
import { sql } from '@haat/kit/postgres'
import type { RevokeServiceAccountRequest, RevokeServiceAccountResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { toServiceAccount } from './list-service-accounts.ts'

export async function revokeServiceAccount(
  ctx: AuthContext,
  request: RevokeServiceAccountRequest,
): Promise<RevokeServiceAccountResponse> {
  const row = await ctx.db
    .updateTable('service_accounts')
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, ${ctx.now()}::timestamptz)` })
    .where('id', '=', request.serviceAccountId)
    .where('kind', '=', 'tool')
    .returningAll()
    .executeTakeFirst()
  if (!row) throw notFound('service_account_not_found', 'no such service account')
  return { serviceAccount: toServiceAccount(row) }
}
