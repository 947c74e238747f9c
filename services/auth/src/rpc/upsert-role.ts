import { failedPrecondition } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import type { UpsertRoleRequest, UpsertRoleResponse } from '@haat/proto/auth/v1/auth'
import { RolePermissionsChanged } from '@haat/proto/auth/v1/events'
import type { AuthContext } from '../context.ts'
import { checkPermissionKeys, findRole, SUPER_ADMIN } from '../db/roles.ts'
import { toRole } from './list-roles.ts'

export async function upsertRole(ctx: AuthContext, request: UpsertRoleRequest): Promise<UpsertRoleResponse> {
  const { name } = request
  if (name === SUPER_ADMIN) throw failedPrecondition('role_managed', 'super_admin holds every permission')
  await checkPermissionKeys(ctx.db, request.permissions)
  return ctx.db.transaction().execute(async (tx) => {
    const created = await tx
      .insertInto('roles')
      .values({ name, built_in: false })
      .onConflict((c) => c.doNothing())
      .returning('id')
      .executeTakeFirst()
    await tx.selectFrom('roles').select('id').where('name', '=', name).forUpdate().execute()
    const before = (await findRole(tx, name))!
    const added = request.permissions.filter((key) => !before.permissions.includes(key)).sort()
    const removed = before.permissions.filter((key) => !request.permissions.includes(key))
    if (added.length)
      await tx
        .insertInto('role_permissions')
        .columns(['role_id', 'perm_id'])
        .expression((eb) =>
          eb
            .selectFrom('permissions')
            .select((s) => [s.cast<string>(s.val(before.id), 'uuid').as('role_id'), 'permissions.id as perm_id'])
            .where('permissions.key', 'in', added),
        )
        .execute()
    if (removed.length)
      await tx
        .deleteFrom('role_permissions')
        .where('role_id', '=', before.id)
        .where('perm_id', 'in', (eb) => eb.selectFrom('permissions').select('id').where('key', 'in', removed))
        .execute()
    const after = (await findRole(tx, name))!
    if (created || added.length || removed.length)
      await emit(tx, RolePermissionsChanged, { role: name, permissions: after.permissions, added, removed })
    return { role: toRole(after) }
  })
}
