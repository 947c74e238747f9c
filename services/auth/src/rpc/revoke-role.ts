import type { Call } from '@haat/kit/call'
import type { RevokeRoleRequest, RevokeRoleResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { changeRoles, requireOtherSuperAdmin, SUPER_ADMIN } from '../db/roles.ts'
import { lockUser, toUser } from '../db/users.ts'
import { checkMayGiveRole } from './may-give-role.ts'

export async function revokeRole(
  ctx: AuthContext,
  request: RevokeRoleRequest,
  call: Call,
): Promise<RevokeRoleResponse> {
  return ctx.db.transaction().execute(async (tx) => {
    const user = await lockUser(tx, request.userId)
    await checkMayGiveRole(tx, call, request.role)
    if (request.role === SUPER_ADMIN && user.roles.includes(SUPER_ADMIN)) await requireOtherSuperAdmin(tx, user.id)
    return { user: toUser(await changeRoles(tx, user, { take: [request.role] }, ctx.now())) }
  })
}
