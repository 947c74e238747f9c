import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { VendorRejected, VendorSuspended } from '@haat/proto/vendor/v1/events'
import type { AuthContext } from '../context.ts'
import { listMemberIds, lockVendor, syncAccounts } from '../db/members.ts'
import type { Database } from '../db/schema.ts'

/** The vendor does not work for now, or has ended: its members' tokens lose it. */
export async function onVendorSuspended(
  ctx: AuthContext,
  event: Event<VendorSuspended | VendorRejected>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorId } = event.data
  const sequence = BigInt(event.envelope.aggregate.sequence)
  const vendor = await lockVendor(tx, vendorId)
  if (vendor.sequence >= sequence) return
  await tx.updateTable('vendors').set({ is_active: false, sequence }).where('vendor_id', '=', vendorId).execute()
  await syncAccounts(tx, await listMemberIds(tx, vendorId), ctx.now())
}
