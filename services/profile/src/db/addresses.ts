import { notFound } from '@haat/kit/errors'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import type { Address } from '@haat/proto/common/v1/common'
import type { SavedAddress } from '@haat/proto/profile/v1/profile'
import type { Kysely } from 'kysely'
import type { AddressRow, Database } from './schema.ts'

type Row = Selectable<AddressRow>

/** A person's addresses: the default first, then the newest. */
export const listAddresses = (db: Kysely<Database>, userId: string): Promise<Row[]> =>
  db
    .selectFrom('addresses')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('is_default', 'desc')
    .orderBy('id', 'desc')
    .execute()

/** Makes another of a person's addresses the default; their profile is locked. Answers it, undefined when it is not theirs. */
export async function moveDefault(
  tx: Transaction<Database>,
  userId: string,
  addressId: string,
  now: Date,
): Promise<Row | undefined> {
  const own = tx.selectFrom('addresses').selectAll().where('user_id', '=', userId).where('id', '=', addressId)
  const standing = await own.executeTakeFirst()
  if (!standing || standing.is_default) return standing
  await tx
    .updateTable('addresses')
    .set({ is_default: false })
    .where('user_id', '=', userId)
    .where('is_default', '=', true)
    .execute()
  await tx.updateTable('addresses').set({ is_default: true, updated_at: now }).where('id', '=', addressId).execute()
  return own.executeTakeFirst()
}

export const toColumns = (address: Address) => ({
  name: address.name,
  line1: address.line1,
  line2: address.line2,
  city: address.city,
  state: address.state,
  postal_code: address.postalCode,
  country: address.country,
  phone: address.phone,
})

export const toSavedAddress = (row: Row): SavedAddress => ({
  id: row.id,
  label: row.label,
  address: {
    name: row.name,
    line1: row.line1,
    line2: row.line2,
    city: row.city,
    state: row.state,
    postalCode: row.postal_code,
    country: row.country,
    phone: row.phone,
  },
  isDefault: row.is_default,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export const addressNotFound = () => notFound('address_not_found', 'no such address')
