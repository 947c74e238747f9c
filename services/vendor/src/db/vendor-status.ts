import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import { VendorApplied, VendorApproved, VendorRejected, VendorSuspended } from '@haat/proto/vendor/v1/events'
import type { VendorStatusName } from '../domain/status.ts'
import type { Database, VendorRow } from './schema.ts'
import { shipsFromOf } from './vendors.ts'

/** Moves a locked vendor to a status, records who did it and why, and announces it. */
export async function changeStatus(
  tx: Transaction<Database>,
  vendor: VendorRow,
  change: { to: VendorStatusName; reason: string; byUserId: string; at: Date },
): Promise<VendorRow> {
  const { to, reason, byUserId, at } = change
  const after = await tx
    .updateTable('vendors')
    .set({
      status: to,
      status_reason: reason,
      approved_at: vendor.approved_at ?? (to === 'active' ? at : null),
      updated_at: at,
    })
    .where('id', '=', vendor.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('vendor_status_history')
    .values({
      id: newId(),
      vendor_id: vendor.id,
      from_status: vendor.status,
      to_status: to,
      reason,
      by_user_id: byUserId,
      at,
    })
    .execute()
  const common = {
    vendorId: after.id,
    ownerUserId: after.owner_user_id,
    name: after.name,
    slug: after.slug,
    supportEmail: after.support_email,
  }
  if (to === 'pending') await emit(tx, VendorApplied, common)
  else if (to === 'suspended') await emit(tx, VendorSuspended, { ...common, reason })
  else if (to === 'rejected') await emit(tx, VendorRejected, { ...common, reason })
  else {
    const members = await tx
      .selectFrom('vendor_members')
      .select(['user_id', 'permissions'])
      .where('vendor_id', '=', vendor.id)
      .orderBy('is_owner', 'desc')
      .orderBy('added_at')
      .execute()
    await emit(tx, VendorApproved, {
      ...common,
      reason,
      members: members.map((member) => ({ userId: member.user_id, permissions: member.permissions })),
      logoUrl: after.logo_url,
      shipsFrom: shipsFromOf(after),
    })
  }
  return after
}
