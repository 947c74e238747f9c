import { failedPrecondition } from '@haat/kit/errors'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import type { Profile } from '@haat/proto/profile/v1/profile'
import type { Kysely } from 'kysely'
import type { Database, ProfileRow } from './schema.ts'

type Row = Selectable<ProfileRow>

export const DEFAULT_LOCALE = 'en'

/** A person's profile; undefined when there is none yet, or none any more. */
export const findProfile = (db: Kysely<Database>, userId: string): Promise<Row | undefined> =>
  db
    .selectFrom('profiles')
    .selectAll()
    .where('user_id', '=', userId)
    .where('forgotten_at', 'is', null)
    .executeTakeFirst()

/**
 * Locks a person's profile, made when the account is newer than it: whatever they change, addresses included, happens one
 * after another. FAILED_PRECONDITION `profile_forgotten` once they have left.
 */
export async function lockProfile(tx: Transaction<Database>, userId: string): Promise<Row> {
  const row = await lockAnyProfile(tx, userId)
  if (row.forgotten_at) throw failedPrecondition('profile_forgotten', 'this account was deleted')
  return row
}

/** Locks the row of a person who may have left. */
export async function lockAnyProfile(tx: Transaction<Database>, userId: string): Promise<Row> {
  await tx
    .insertInto('profiles')
    .values({ user_id: userId, name: null, phone: null, dob: null, locale: null, forgotten_at: null })
    .onConflict((c) => c.doNothing())
    .execute()
  return tx.selectFrom('profiles').selectAll().where('user_id', '=', userId).forUpdate().executeTakeFirstOrThrow()
}

export const toProfile = (row: Row): Profile => ({
  userId: row.user_id,
  name: row.name ?? '',
  phone: row.phone ?? '',
  avatarUrl: row.avatar_url,
  dob: row.dob ?? '',
  locale: row.locale ?? DEFAULT_LOCALE,
  marketingOptIn: row.marketing_opt_in,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export const emptyProfile = (userId: string): Profile => ({
  userId,
  name: '',
  phone: '',
  avatarUrl: '',
  dob: '',
  locale: DEFAULT_LOCALE,
  marketingOptIn: false,
  createdAt: undefined,
  updatedAt: undefined,
})
