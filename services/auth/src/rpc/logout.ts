import type { LogoutRequest, LogoutResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { findRefreshToken, revokeSessions } from '../db/sessions.ts'

export async function logout(ctx: AuthContext, request: LogoutRequest): Promise<LogoutResponse> {
  const token = await findRefreshToken(ctx.db, request.refreshToken)
  if (token)
    await ctx.db
      .transaction()
      .execute((tx) => revokeSessions(tx, { userId: token.user_id, only: token.session_id }, 'logout', ctx.now()))
  return {}
}
