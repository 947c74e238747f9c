import { sql } from '@haat/kit/postgres'
import type { ListRolesRequest, ListRolesResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { listPermissionKeys, type RoleWithPermissions, selectRoles } from '../db/roles.ts'

export async function listRoles(ctx: AuthContext, _request: ListRolesRequest): Promise<ListRolesResponse> {
  const roles = await selectRoles(ctx.db).orderBy(sql`roles.name collate "C"`).execute()
  return { roles: roles.map(toRole), permissions: await listPermissionKeys(ctx.db) }
}

export const toRole = ({ name, permissions, built_in }: RoleWithPermissions) => ({
  name,
  permissions,
  builtIn: built_in,
})
