import type { Call } from '@haat/kit/call'
import type { AssignRoleRequest, AssignRoleResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { changeRoles } from '../db/roles.ts'
import { lockUser, toUser } from '../db/users.ts'
import { checkMayGiveRole } from './may-give-role.ts'

export async function assignRole(
  ctx: AuthContext,
  request: AssignRoleRequest,
  call: Call,
): Promise<AssignRoleResponse> {
  return ctx.db.transaction().execute(async (tx) => {
    const user = await lockUser(tx, request.userId)
    await checkMayGiveRole(tx, call, request.role)
    return { user: toUser(await changeRoles(tx, user, { give: [request.role] }, ctx.now())) }
  })
}
