import type { Call } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { money } from '@haat/money/money'
import { PayoutRejected } from '@haat/proto/vendor/v1/events'
import type { RejectPayoutRequest, RejectPayoutResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { freeEarnings, lockPayout, payoutNotFound, toPayout } from '../db/payouts.ts'
import { getVendorRow } from '../db/vendors.ts'
import { actorOf } from './access.ts'

export async function rejectPayout(
  ctx: VendorContext,
  request: RejectPayoutRequest,
  call: Call,
): Promise<RejectPayoutResponse> {
  return ctx.db.transaction().execute(async (tx) => {
    const payout = await lockPayout(tx, request.payoutId)
    if (!payout) throw payoutNotFound()
    if (payout.status === 'rejected') return { payout: toPayout(payout) }
    if (payout.status !== 'requested')
      throw failedPrecondition('payout_status_conflict', `the payout is ${payout.status}`, { status: payout.status })
    const now = ctx.now()
    const rejected = await tx
      .updateTable('vendor_payouts')
      .set({ status: 'rejected', reason: request.reason, decided_by: actorOf(call), decided_at: now, updated_at: now })
      .where('id', '=', payout.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await freeEarnings(tx, payout.id)
    const vendor = await getVendorRow(tx, payout.vendor_id)
    await emit(tx, PayoutRejected, {
      payoutId: payout.id,
      vendorId: vendor.id,
      vendorName: vendor.name,
      ownerUserId: vendor.owner_user_id,
      amount: money(payout.currency, payout.amount),
      reason: request.reason,
    })
    return { payout: toPayout(rejected) }
  })
}
