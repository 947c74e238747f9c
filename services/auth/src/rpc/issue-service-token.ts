import { timingSafeEqual } from 'node:crypto'
import { unauthenticated } from '@haat/kit/errors'
import { sql } from '@haat/kit/postgres'
import type { IssueServiceTokenRequest, IssueServiceTokenResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { attempt, throttleKey } from '../db/throttles.ts'
import { hashOf } from '../domain/secrets.ts'

const FAILURES = { free: 20, forgiveEverySeconds: 60 }

export async function issueServiceToken(
  ctx: AuthContext,
  request: IssueServiceTokenRequest,
): Promise<IssueServiceTokenResponse> {
  const { clientId } = request
  const account = await ctx.db
    .selectFrom('service_accounts')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb.and([eb('kind', '=', 'service'), eb('name', '=', clientId)]),
        eb.and([eb('kind', '=', 'tool'), eb(sql<string>`id::text`, '=', clientId)]),
      ]),
    )
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  const shown = hashOf(request.clientSecret)
  if (!account?.secret_hashes.some((hash) => timingSafeEqual(hash, shown))) {
    // Only wrong secrets wait: nobody can lock a service out of the platform by guessing at its account.
    await attempt(ctx, throttleKey('service-account', clientId), FAILURES)
    throw unauthenticated('credentials_invalid', 'client id or secret is wrong')
  }
  const now = ctx.now()
  await ctx.db.updateTable('service_accounts').set({ last_used_at: now }).where('id', '=', account.id).execute()
  return issue(ctx, account)
}

async function issue(ctx: AuthContext, account: { name: string; kind: 'service' | 'tool'; permissions: string[] }) {
  const { name: sub, kind, permissions } = account
  const { token, expiresAt } = await ctx.signToken({ sub, kind, ...(kind === 'tool' ? { permissions } : {}) })
  return { accessToken: token, expiresAt }
}
