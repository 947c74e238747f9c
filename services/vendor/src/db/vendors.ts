import { enumNames } from '@haat/kit/enum'
import { notFound } from '@haat/kit/errors'
import type { Transaction } from '@haat/kit/postgres'
import { type Member, type PublicVendor, type ShipsFrom, type Vendor, VendorStatus } from '@haat/proto/vendor/v1/vendor'
import type { Kysely } from 'kysely'
import { ownCommission, type RuleSet } from './commission.ts'
import type { Database, MemberRow, VendorRow } from './schema.ts'

export const statuses = enumNames(VendorStatus)

/** NOT_FOUND `vendor_not_found`: missing and not yours look the same. */
export const vendorNotFound = () => notFound('vendor_not_found', 'no such vendor')

export async function getVendorRow(db: Kysely<Database>, vendorId: string): Promise<VendorRow> {
  const row = await db.selectFrom('vendors').selectAll().where('id', '=', vendorId).executeTakeFirst()
  if (!row) throw vendorNotFound()
  return row
}

/**
 * Locks a vendor: changes and events of one vendor happen one after the other. Rows that refer to it can be written meanwhile,
 * else their writers and we could wait for each other.
 */
export async function lockVendor(tx: Transaction<Database>, vendorId: string): Promise<VendorRow> {
  const row = await tx.selectFrom('vendors').selectAll().where('id', '=', vendorId).forNoKeyUpdate().executeTakeFirst()
  if (!row) throw vendorNotFound()
  return row
}

export const findMembership = (db: Kysely<Database>, userId: string): Promise<MemberRow | undefined> =>
  db.selectFrom('vendor_members').selectAll().where('user_id', '=', userId).executeTakeFirst()

export const shipsFromOf = (row: VendorRow): ShipsFrom => ({
  country: row.ships_from_country,
  postalCode: row.ships_from_postal_code,
})

export const toVendor = (row: VendorRow, rules: RuleSet): Vendor => ({
  id: row.id,
  ownerUserId: row.owner_user_id,
  name: row.name,
  slug: row.slug,
  description: row.description,
  logoUrl: row.logo_url,
  status: statuses.fromName(row.status),
  statusReason: row.status_reason,
  ...ownCommission(rules, row.id, row.default_currency),
  supportEmail: row.support_email,
  supportPhone: row.support_phone,
  defaultCurrency: row.default_currency,
  shipsFrom: shipsFromOf(row),
  ratingAvg: row.rating_avg,
  ratingCount: row.rating_count,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  approvedAt: row.approved_at ?? undefined,
})

export const toPublicVendor = (row: VendorRow): PublicVendor => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  description: row.description,
  logoUrl: row.logo_url,
  status: statuses.fromName(row.status),
  shipsFrom: shipsFromOf(row),
  ratingAvg: row.rating_avg,
  ratingCount: row.rating_count,
  createdAt: row.created_at,
  defaultCurrency: row.default_currency,
})

export const toMember = (row: MemberRow): Member => ({
  vendorId: row.vendor_id,
  userId: row.user_id,
  isOwner: row.is_owner,
  permissions: row.permissions,
  email: row.email,
  addedAt: row.added_at,
})
