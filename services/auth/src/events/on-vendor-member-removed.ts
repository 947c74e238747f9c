import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { VendorMemberRemoved } from '@haat/proto/vendor/v1/events'
import type { AuthContext } from '../context.ts'
import { lockVendor, putMember, syncAccounts } from '../db/members.ts'
import type { Database } from '../db/schema.ts'

/** A person does not work for a vendor any more. */
export async function onVendorMemberRemoved(
  ctx: AuthContext,
  event: Event<VendorMemberRemoved>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorId, userId } = event.data
  const sequence = BigInt(event.envelope.aggregate.sequence)
  const vendor = await lockVendor(tx, vendorId)
  if (vendor.members_sequence > sequence) return
  await putMember(tx, { vendorId, userId, isMember: false, permissions: [], sequence })
  await syncAccounts(tx, [userId], ctx.now())
}
