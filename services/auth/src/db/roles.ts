import { failedPrecondition, invalid } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import type { Transaction } from '@haat/kit/postgres'
import { UserRolesChanged } from '@haat/proto/auth/v1/events'
import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'
import { type Account, getUser } from './users.ts'

export const SUPER_ADMIN = 'super_admin'
export const VENDOR_ADMIN = 'vendor_admin'
export const STAFF = 'staff'
export const CUSTOMER = 'customer'

export type RoleWithPermissions = { id: string; name: string; built_in: boolean; permissions: string[] }

/** Roles with their permission keys, sorted. */
export const selectRoles = (db: Kysely<Database>) =>
  db
    .selectFrom('roles')
    .select(['roles.id', 'roles.name', 'roles.built_in'])
    .select(
      sql<string[]>`array(
        select p.key from role_permissions rp join permissions p on p.id = rp.perm_id
         where rp.role_id = roles.id order by p.key collate "C"
      )`.as('permissions'),
    )

export const findRole = (db: Kysely<Database>, name: string): Promise<RoleWithPermissions | undefined> =>
  selectRoles(db).where('roles.name', '=', name).executeTakeFirst()

/** The union of what a person's roles permit, sorted. */
export async function listPermissionsOf(db: Kysely<Database>, userId: string): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select distinct p.key collate "C" as key
      from user_roles ur
      join role_permissions rp on rp.role_id = ur.role_id
      join permissions p on p.id = rp.perm_id
     where ur.user_id = ${userId}
     order by 1`.execute(db)
  return rows.map((row) => row.key)
}

export async function listPermissionKeys(db: Kysely<Database>): Promise<string[]> {
  const rows = await db.selectFrom('permissions').select('key').orderBy(sql`key collate "C"`).execute()
  return rows.map((row) => row.key)
}

/** INVALID_ARGUMENT `permission_unknown` when one of the keys is none. */
export async function checkPermissionKeys(db: Kysely<Database>, keys: readonly string[]): Promise<void> {
  const known = new Set(await listPermissionKeys(db))
  const unknown = keys.filter((key) => !known.has(key))
  if (unknown.length) throw invalid('permission_unknown', 'no such permission', { permissions: unknown })
}

/** Gives and takes roles of an account whose row is locked, and announces it when something changed. */
export async function changeRoles(
  tx: Transaction<Database>,
  user: Account,
  change: { give?: string[]; take?: string[] },
  now: Date,
): Promise<Account> {
  const assigned = (change.give ?? []).filter((name) => !user.roles.includes(name))
  const revoked = (change.take ?? []).filter((name) => user.roles.includes(name))
  if (assigned.length + revoked.length === 0) return user
  if (assigned.length)
    await tx
      .insertInto('user_roles')
      .columns(['user_id', 'role_id'])
      .expression(
        tx
          .selectFrom('roles')
          .select([sql<string>`${user.id}::uuid`.as('user_id'), 'id'])
          .where('name', 'in', assigned),
      )
      .onConflict((c) => c.doNothing())
      .execute()
  if (revoked.length)
    await tx
      .deleteFrom('user_roles')
      .where('user_id', '=', user.id)
      .where('role_id', 'in', tx.selectFrom('roles').select('id').where('name', 'in', revoked))
      .execute()
  await tx.updateTable('users').set({ updated_at: now }).where('id', '=', user.id).execute()
  const after = await getUser(tx, user.id)
  await emit(tx, UserRolesChanged, { userId: user.id, roles: after.roles, assigned, revoked })
  return after
}

/**
 * FAILED_PRECONDITION `super_admin_required` when nobody but this account could administer. Changes that take a super_admin
 * away queue on the role's row, so that two of them cannot take the last two.
 */
export async function requireOtherSuperAdmin(tx: Transaction<Database>, userId: string): Promise<void> {
  await tx.selectFrom('roles').select('id').where('name', '=', SUPER_ADMIN).forUpdate().execute()
  const other = await tx
    .selectFrom('users')
    .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
    .innerJoin('roles', 'roles.id', 'user_roles.role_id')
    .select('users.id')
    .where('roles.name', '=', SUPER_ADMIN)
    .where('users.status', '!=', 'blocked')
    .where('users.id', '!=', userId)
    .limit(1)
    .executeTakeFirst()
  if (!other) throw failedPrecondition('super_admin_required', 'this is the last super_admin that can sign in')
}
