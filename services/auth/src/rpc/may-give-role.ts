import type { Call } from '@haat/kit/call'
import { denied, failedPrecondition, notFound } from '@haat/kit/errors'
import type { AuthContext } from '../context.ts'
import { findRole, SUPER_ADMIN, VENDOR_ADMIN } from '../db/roles.ts'

/**
 * A role may be given and taken by who holds all of its permissions; super_admin only by a super_admin. NOT_FOUND
 * `role_not_found`, FAILED_PRECONDITION `role_managed`, PERMISSION_DENIED `role_forbidden`.
 */
export async function checkMayGiveRole(db: AuthContext['db'], call: Call, name: string): Promise<void> {
  const role = await findRole(db, name)
  if (!role) throw notFound('role_not_found', 'no such role')
  if (role.name === VENDOR_ADMIN) throw failedPrecondition('role_managed', 'this role follows vendor membership')
  if (isSuperAdmin(call)) return
  const lacks = role.permissions.filter((permission) => !call.caller.permissions.includes(permission))
  if (role.name === SUPER_ADMIN || lacks.length) throw roleForbidden()
}

export const isSuperAdmin = (call: Call): boolean => call.caller.roles.includes(SUPER_ADMIN)
export const roleForbidden = () => denied('role_forbidden', 'only a super_admin may do this')
