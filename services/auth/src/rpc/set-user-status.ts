import type { Call } from '@haat/kit/call'
import { emit } from '@haat/kit/events/emit'
import { type SetUserStatusRequest, type SetUserStatusResponse, UserStatus } from '@haat/proto/auth/v1/auth'
import { UserBlocked, UserUnblocked } from '@haat/proto/auth/v1/events'
import type { AuthContext } from '../context.ts'
import { requireOtherSuperAdmin, SUPER_ADMIN } from '../db/roles.ts'
import { revokeSessions } from '../db/sessions.ts'
import { getUser, lockUser, toUser } from '../db/users.ts'
import { isSuperAdmin, roleForbidden } from './may-give-role.ts'

export async function setUserStatus(
  ctx: AuthContext,
  request: SetUserStatusRequest,
  call: Call,
): Promise<SetUserStatusResponse> {
  const { userId, reason } = request
  const now = ctx.now()
  return ctx.db.transaction().execute(async (tx) => {
    const user = await lockUser(tx, userId)
    const isTheirs = user.roles.includes(SUPER_ADMIN)
    if (isTheirs && !isSuperAdmin(call)) throw roleForbidden()
    const block = request.status === UserStatus.BLOCKED
    if (block === (user.status === 'blocked')) return { user: toUser(user) }
    if (block && isTheirs) await requireOtherSuperAdmin(tx, userId)
    // Unblocking gives back what it was: without a confirmed address the account is pending again.
    const status = block ? 'blocked' : user.email_verified_at ? 'active' : 'pending'
    await tx.updateTable('users').set({ status, updated_at: now }).where('id', '=', userId).execute()
    if (block) await revokeSessions(tx, { userId }, 'blocked', now)
    await emit(tx, block ? UserBlocked : UserUnblocked, { userId, reason })
    return { user: toUser(await getUser(tx, userId)) }
  })
}
