import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { VendorApproved } from '@haat/proto/vendor/v1/events'
import type { AuthContext } from '../context.ts'
import { listMemberIds, lockVendor, putMember, syncAccounts } from '../db/members.ts'
import type { Database } from '../db/schema.ts'

/** The vendor works from now on: its members' tokens carry it. The event names all members, so others are none. */
export async function onVendorApproved(
  ctx: AuthContext,
  event: Event<VendorApproved>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorId, members } = event.data
  const sequence = BigInt(event.envelope.aggregate.sequence)
  const vendor = await lockVendor(tx, vendorId)
  if (vendor.sequence < sequence)
    await tx.updateTable('vendors').set({ is_active: true, sequence }).where('vendor_id', '=', vendorId).execute()
  const known = await listMemberIds(tx, vendorId)
  if (vendor.members_sequence < sequence) {
    await tx.updateTable('vendors').set({ members_sequence: sequence }).where('vendor_id', '=', vendorId).execute()
    for (const { userId, permissions } of members)
      await putMember(tx, { vendorId, userId, isMember: true, permissions, sequence })
    const gone = known.filter((userId) => !members.some((member) => member.userId === userId))
    for (const userId of gone) await putMember(tx, { vendorId, userId, isMember: false, permissions: [], sequence })
  }
  await syncAccounts(tx, [...known, ...members.map((member) => member.userId)], ctx.now())
}
