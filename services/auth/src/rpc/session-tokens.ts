import type { SessionTokens } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { listPermissionsOf } from '../db/roles.ts'
import type { OpenedSession } from '../db/sessions.ts'
import type { Account } from '../db/users.ts'

/** The tokens of a session, with what the person may do at this moment. */
export async function sessionTokens(ctx: AuthContext, user: Account, session: OpenedSession): Promise<SessionTokens> {
  const { token, expiresAt } = await ctx.signToken({
    sub: user.id,
    kind: 'user',
    sid: session.sessionId,
    roles: user.roles,
    permissions: await listPermissionsOf(ctx.db, user.id),
    ...(user.vendor_id ? { vendorId: user.vendor_id, vendorPermissions: user.vendor_permissions } : {}),
  })
  return {
    accessToken: token,
    accessTokenExpiresAt: expiresAt,
    refreshToken: session.refreshToken,
    refreshTokenExpiresAt: session.refreshTokenExpiresAt,
    sessionId: session.sessionId,
  }
}
