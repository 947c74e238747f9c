import type { Transaction } from '@haat/kit/postgres'
import { sql } from 'kysely'
import { chooseVendor, isOwner } from '../domain/membership.ts'
import { changeRoles, VENDOR_ADMIN } from './roles.ts'
import type { Database, VendorRow } from './schema.ts'
import { findUser } from './users.ts'

/** Locks what is known of a vendor, so that its events are taken one after another. */
export async function lockVendor(tx: Transaction<Database>, vendorId: string): Promise<VendorRow> {
  await tx
    .insertInto('vendors')
    .values({ vendor_id: vendorId, is_active: false, sequence: 0n, members_sequence: 0n })
    .onConflict((c) => c.doNothing())
    .execute()
  return tx.selectFrom('vendors').selectAll().where('vendor_id', '=', vendorId).forUpdate().executeTakeFirstOrThrow()
}

/** Notes whether a person works for a vendor, unless something newer is known. */
export async function putMember(
  tx: Transaction<Database>,
  member: { vendorId: string; userId: string; isMember: boolean; permissions: string[]; sequence: bigint },
): Promise<void> {
  await tx
    .insertInto('vendor_members')
    .values({
      vendor_id: member.vendorId,
      user_id: member.userId,
      is_member: member.isMember,
      permissions: member.permissions,
      sequence: member.sequence,
    })
    .onConflict((c) =>
      c
        .columns(['vendor_id', 'user_id'])
        .doUpdateSet({ is_member: member.isMember, permissions: member.permissions, sequence: member.sequence })
        .where('vendor_members.sequence', '<', member.sequence),
    )
    .execute()
}

export const listMemberIds = async (tx: Transaction<Database>, vendorId: string): Promise<string[]> =>
  (
    await tx
      .selectFrom('vendor_members')
      .select('user_id')
      .where('vendor_id', '=', vendorId)
      .orderBy('user_id')
      .execute()
  ).map((row) => row.user_id)

/** Makes accounts say what the members table says: the vendor, the permissions there, and vendor_admin for an owner. */
export async function syncAccounts(tx: Transaction<Database>, userIds: readonly string[], now: Date): Promise<void> {
  for (const userId of [...new Set(userIds)].sort()) {
    await tx.selectFrom('users').select('id').where('id', '=', userId).forUpdate().execute()
    const user = await findUser(tx, userId)
    if (!user || user.forgotten_at) continue
    const memberships = await tx
      .selectFrom('vendor_members')
      .innerJoin('vendors', 'vendors.vendor_id', 'vendor_members.vendor_id')
      .select(['vendor_members.vendor_id as vendorId', 'vendor_members.permissions'])
      .where('vendor_members.user_id', '=', userId)
      .where('vendor_members.is_member', '=', true)
      .where('vendors.is_active', '=', true)
      .execute()
    const chosen = chooseVendor(memberships, user.vendor_id)
    const permissions = [...(chosen?.permissions ?? [])].sort()
    await tx
      .updateTable('users')
      .set({ vendor_id: chosen?.vendorId ?? null, vendor_permissions: permissions, updated_at: now })
      .where('id', '=', userId)
      .where(
        sql<boolean>`(vendor_id is distinct from ${chosen?.vendorId ?? null}::uuid or vendor_permissions <> ${permissions}::text[])`,
      )
      .execute()
    await changeRoles(tx, user, isOwner(chosen) ? { give: [VENDOR_ADMIN] } : { take: [VENDOR_ADMIN] }, now)
  }
}
