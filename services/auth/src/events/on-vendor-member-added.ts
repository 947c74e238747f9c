import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { VendorMemberAdded } from '@haat/proto/vendor/v1/events'
import type { AuthContext } from '../context.ts'
import { lockVendor, putMember, syncAccounts } from '../db/members.ts'
import type { Database } from '../db/schema.ts'

/** A person works for a vendor, or may do other things there than before. */
export async function onVendorMemberAdded(
  ctx: AuthContext,
  event: Event<VendorMemberAdded>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorId, userId, permissions } = event.data
  const sequence = BigInt(event.envelope.aggregate.sequence)
  const vendor = await lockVendor(tx, vendorId)
  // An approval that came later has named all members already.
  if (vendor.members_sequence > sequence) return
  await putMember(tx, { vendorId, userId, isMember: true, permissions, sequence })
  await syncAccounts(tx, [userId], ctx.now())
}
