import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import { UserCreated } from '@haat/proto/auth/v1/events'
import { type Kysely, sql } from 'kysely'
import { contractPermissions, isStaffDefault } from '../domain/permissions.ts'
import { hashOf } from '../domain/secrets.ts'
import type { Passwords } from '../passwords.ts'
import { CUSTOMER, changeRoles, STAFF, SUPER_ADMIN } from './roles.ts'
import type { Database } from './schema.ts'
import { revokeSessions } from './sessions.ts'
import { getUser, normalEmail } from './users.ts'

/** What is seeded is the same for instances that start together: one after the other. */
const alone = (db: Kysely<Database>) => sql`select pg_advisory_xact_lock(hashtext('haat.auth.seed'))`.execute(db)

/**
 * Adds the permission keys the contracts name. super_admin holds every one; staff gets its defaults of the keys that are
 * new, so that what an operator took from it stays taken.
 */
export async function seedPermissions(db: Kysely<Database>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await alone(tx)
    const added = await tx
      .insertInto('permissions')
      .values(contractPermissions().map((key) => ({ key })))
      .onConflict((c) => c.doNothing())
      .returning('key')
      .execute()
    const forStaff = added.map((row) => row.key).filter(isStaffDefault)
    await sql`
      insert into role_permissions (role_id, perm_id)
      select r.id, p.id from roles r cross join permissions p
       where r.name = ${SUPER_ADMIN} or (r.name = ${STAFF} and p.key = any(${forStaff}::text[]))
      on conflict do nothing`.execute(tx)
  })
}

/** Makes the accounts of Haat's own services what the configuration says; those it no longer names stop working. */
export async function seedServiceAccounts(
  db: Kysely<Database>,
  credentials: Record<string, string | string[]>,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await alone(tx)
    for (const [name, secrets] of Object.entries(credentials)) {
      const hashes = [secrets].flat().map(hashOf)
      const seeded = await tx
        .insertInto('service_accounts')
        .values({
          id: newId(now.getTime()),
          name,
          kind: 'service',
          secret_hashes: hashes,
          permissions: [],
          created_at: now,
          last_used_at: null,
          revoked_at: null,
        })
        .onConflict((c) =>
          c
            .column('name')
            .doUpdateSet({ secret_hashes: hashes, revoked_at: null })
            .where('service_accounts.kind', '=', 'service'),
        )
        .returning('id')
        .executeTakeFirst()
      if (!seeded) throw new Error(`SERVICE_CREDENTIALS_JSON: "${name}" is the name of a tool's account`)
    }
    await tx
      .updateTable('service_accounts')
      .set({ revoked_at: now })
      .where('kind', '=', 'service')
      .where('revoked_at', 'is', null)
      .where(sql<boolean>`name <> all(${Object.keys(credentials)}::text[])`)
      .execute()
  })
}

/** Makes the first super_admin; does nothing as soon as there is one that can sign in. */
export async function seedAdmin(
  db: Kysely<Database>,
  passwords: Passwords,
  address: string,
  password: string,
  now: Date,
): Promise<void> {
  const email = normalEmail(address)
  const hasAdmin = (tx: Kysely<Database>) =>
    tx
      .selectFrom('users')
      .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
      .innerJoin('roles', 'roles.id', 'user_roles.role_id')
      .select('users.id')
      .where('roles.name', '=', SUPER_ADMIN)
      .where('users.status', '!=', 'blocked')
      .limit(1)
      .executeTakeFirst()
  if (await hasAdmin(db)) return
  const passwordHash = await passwords.hash(password)
  await db.transaction().execute(async (tx) => {
    await alone(tx)
    if (await hasAdmin(tx)) return
    const id = newId(now.getTime())
    const name = 'Administrator'
    const { userId, created } = await tx
      .insertInto('users')
      .values({
        id,
        email,
        password_hash: passwordHash,
        name,
        locale: 'en',
        status: 'active',
        email_verified_at: now,
        vendor_id: null,
        last_login_at: null,
        forgotten_at: null,
        created_at: now,
        updated_at: now,
      })
      // Somebody may have registered this address before: the account is the operator's from now on.
      .onConflict((c) =>
        c
          .column('email')
          .doUpdateSet({ password_hash: passwordHash, status: 'active', email_verified_at: now, updated_at: now }),
      )
      .returning(['id as userId', sql<boolean>`(xmax = 0)`.as('created')])
      .executeTakeFirstOrThrow()
    if (created) await emit(tx, UserCreated, { userId, email, name, phone: undefined, locale: 'en', createdAt: now })
    else await revokeSessions(tx, { userId }, 'password', now)
    await changeRoles(tx, await getUser(tx, userId), { give: [SUPER_ADMIN, CUSTOMER] }, now)
  })
}
