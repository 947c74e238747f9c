import { type Call, requireUser } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { RevokeSessionRequest, RevokeSessionResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { revokeSessions } from '../db/sessions.ts'

export async function revokeSession(
  ctx: AuthContext,
  request: RevokeSessionRequest,
  call: Call,
): Promise<RevokeSessionResponse> {
  const userId = requireUser(call)
  const session = await ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', request.sessionId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  if (!session) throw notFound('session_not_found', 'no such session')
  await ctx.db.transaction().execute((tx) => revokeSessions(tx, { userId, only: session.id }, 'revoked', ctx.now()))
  return {}
}
