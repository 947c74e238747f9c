import type { Call } from '@haat/kit/call'
import { failedPrecondition, notFound } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { VendorMemberRemoved } from '@haat/proto/vendor/v1/events'
import type { RemoveMemberRequest, RemoveMemberResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { lockVendor } from '../db/vendors.ts'
import { requireScope } from './access.ts'

export async function removeMember(
  ctx: VendorContext,
  request: RemoveMemberRequest,
  call: Call,
): Promise<RemoveMemberResponse> {
  const vendorId = requireScope(call, request.vendorId, 'members.write', ['vendors.write'])
  return ctx.db.transaction().execute(async (tx) => {
    const vendor = await lockVendor(tx, vendorId)
    if (vendor.owner_user_id === request.userId) throw failedPrecondition('member_is_owner', 'the owner stays')
    const removed = await tx
      .deleteFrom('vendor_members')
      .where('vendor_id', '=', vendorId)
      .where('user_id', '=', request.userId)
      .returning('user_id')
      .executeTakeFirst()
    if (!removed) throw notFound('member_not_found', 'no such member')
    await emit(tx, VendorMemberRemoved, { vendorId, vendorName: vendor.name, userId: request.userId })
    return {}
  })
}
