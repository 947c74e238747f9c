import { enumNames } from '@haat/kit/enum'
import { notFound } from '@haat/kit/errors'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import { type User, UserStatus } from '@haat/proto/auth/v1/auth'
import { type Kysely, sql } from 'kysely'
import type { Database, UserRow } from './schema.ts'

export const userStatus = enumNames(UserStatus)

export type Account = Selectable<UserRow> & { roles: string[] }

export const normalEmail = (email: string): string => email.trim().toLowerCase()

/** Accounts with the names of their roles, sorted. */
export const selectUsers = (db: Kysely<Database>) =>
  db
    .selectFrom('users')
    .selectAll('users')
    .select(
      sql<string[]>`array(
        select r.name from user_roles ur join roles r on r.id = ur.role_id
         where ur.user_id = users.id order by r.name collate "C"
      )`.as('roles'),
    )

export const findUser = (db: Kysely<Database>, id: string): Promise<Account | undefined> =>
  selectUsers(db).where('users.id', '=', id).executeTakeFirst()

export const findUserByEmail = (db: Kysely<Database>, email: string): Promise<Account | undefined> =>
  selectUsers(db).where('users.email', '=', email).executeTakeFirst()

/** NOT_FOUND `user_not_found`. */
export async function getUser(db: Kysely<Database>, id: string): Promise<Account> {
  const user = await findUser(db, id)
  if (!user) throw userNotFound()
  return user
}

/** Locks an account that is to change; one that was forgotten cannot. NOT_FOUND `user_not_found`. */
export async function lockUser(tx: Transaction<Database>, id: string): Promise<Account> {
  const locked = await tx
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .where('forgotten_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()
  if (!locked) throw userNotFound()
  // Roles are read after the lock: a statement that waited would still see them as they were.
  return getUser(tx, id)
}

export const userNotFound = () => notFound('user_not_found', 'no such account')

export const toUser = (row: Account): User => ({
  id: row.id,
  email: row.email ?? '',
  name: row.name,
  locale: row.locale,
  status: userStatus.fromName(row.status),
  roles: row.roles,
  vendorId: row.vendor_id ?? undefined,
  vendorPermissions: row.vendor_permissions,
  emailVerifiedAt: row.email_verified_at ?? undefined,
  lastLoginAt: row.last_login_at ?? undefined,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
