import { type Call, requireUser } from '@haat/kit/call'
import { denied, failedPrecondition } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { money } from '@haat/money/money'
import { PayoutApproved } from '@haat/proto/vendor/v1/events'
import type { ApprovePayoutRequest, ApprovePayoutResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { bankUnverified, getPayoutAccount } from '../db/bank-accounts.ts'
import { attachShortfall, lockPayout, payoutNotFound, toPayout } from '../db/payouts.ts'
import { findMembership, lockVendor } from '../db/vendors.ts'

export async function approvePayout(
  ctx: VendorContext,
  request: ApprovePayoutRequest,
  call: Call,
): Promise<ApprovePayoutResponse> {
  const userId = requireUser(call)
  const now = ctx.now()
  return ctx.db.transaction().execute(async (tx) => {
    const found = await tx
      .selectFrom('vendor_payouts')
      .select('vendor_id')
      .where('id', '=', request.payoutId)
      .executeTakeFirst()
    if (!found) throw payoutNotFound()
    const vendor = await lockVendor(tx, found.vendor_id)
    const payout = (await lockPayout(tx, request.payoutId))!
    const membership = await findMembership(tx, userId)
    if (payout.requested_by === userId || membership?.vendor_id === vendor.id)
      throw denied('payout_self_approval', 'somebody else must approve this payout')
    if (payout.status === 'processing') return { payout: toPayout(payout) }
    if (payout.status !== 'requested')
      throw failedPrecondition('payout_status_conflict', `the payout is ${payout.status}`, { status: payout.status })
    if (vendor.status !== 'active') throw failedPrecondition('vendor_not_active', 'the vendor is not active')
    const account = await getPayoutAccount(tx, vendor, { holdHours: ctx.bankChangeHoldHours, now })
    if (account.id !== payout.bank_account_id) throw bankUnverified()
    const amount = payout.amount + (await attachShortfall(tx, payout))
    if (amount <= 0n)
      throw failedPrecondition('balance_empty', 'refunds have used up the balance', { available: String(amount) })
    const approved = await tx
      .updateTable('vendor_payouts')
      .set({ status: 'processing', amount, decided_by: userId, decided_at: now, updated_at: now })
      .where('id', '=', payout.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await emit(tx, PayoutApproved, {
      payoutId: payout.id,
      vendorId: vendor.id,
      vendorName: vendor.name,
      ownerUserId: vendor.owner_user_id,
      amount: money(payout.currency, amount),
      bankAccountId: account.id,
      bankLast4: account.last4,
      bankHolder: account.account_holder,
      bankCountry: account.country,
      approvedBy: userId,
    })
    return { payout: toPayout(approved) }
  })
}
