import { type Call, requireUser } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { once } from '@haat/kit/idempotency'
import { violatedConstraint } from '@haat/kit/postgres'
import { money } from '@haat/money/money'
import { PayoutRequested } from '@haat/proto/vendor/v1/events'
import { RequestPayoutRequest, RequestPayoutResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { getPayoutAccount } from '../db/bank-accounts.ts'
import { attachEarnings, toPayout } from '../db/payouts.ts'
import { lockVendor } from '../db/vendors.ts'
import { requireScope } from './access.ts'

export async function requestPayout(
  ctx: VendorContext,
  request: RequestPayoutRequest,
  call: Call,
): Promise<RequestPayoutResponse> {
  const userId = requireUser(call)
  const vendorId = requireScope(call, request.vendorId, 'payouts.request', [])
  const codec = {
    encode: (answer: RequestPayoutResponse) => RequestPayoutResponse.encode(answer),
    decode: (bytes: Uint8Array) => RequestPayoutResponse.decode(bytes),
  }
  return once(
    ctx.db,
    {
      scope: `request-payout:${vendorId}`,
      key: request.idempotencyKey,
      request: RequestPayoutRequest.encode(request).finish(),
      response: codec,
    },
    async (payoutId) => {
      // An earlier attempt of this key got this far and was cut off before its answer was kept.
      const made = await ctx.db.selectFrom('vendor_payouts').selectAll().where('id', '=', payoutId).executeTakeFirst()
      if (made) return { payout: toPayout(made) }
      return { payout: toPayout(await insertPayout(ctx, { ...request, vendorId, userId, payoutId })) }
    },
  )
}

type NewPayout = Pick<RequestPayoutRequest, 'vendorId' | 'currency' | 'expectedAmount'> & {
  userId: string
  payoutId: string
}

async function insertPayout(ctx: VendorContext, { vendorId, currency, expectedAmount, userId, payoutId }: NewPayout) {
  const now = ctx.now()
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const vendor = await lockVendor(tx, vendorId)
      if (vendor.status !== 'active') throw failedPrecondition('vendor_not_active', 'the vendor is not active')
      const account = await getPayoutAccount(tx, vendor, { holdHours: ctx.bankChangeHoldHours, now })
      const open = await tx
        .selectFrom('vendor_payouts')
        .select('id')
        .where('vendor_id', '=', vendorId)
        .where('currency', '=', currency)
        .where('status', 'in', ['requested', 'processing'])
        .executeTakeFirst()
      if (open) throw payoutOpen()
      const amount = await attachEarnings(tx, { id: payoutId, vendorId, currency })
      const least = ctx.payoutMinimums.get(currency) ?? 1n
      if (amount <= 0n || amount < least)
        throw failedPrecondition('balance_empty', 'there is nothing, or not enough, to pay out', {
          available: String(amount),
          minimum: String(least),
        })
      if (expectedAmount && (expectedAmount.currency !== currency || expectedAmount.minor !== amount))
        throw failedPrecondition('balance_changed', 'the balance is another one by now', { available: String(amount) })
      const payout = await tx
        .insertInto('vendor_payouts')
        .values({
          id: payoutId,
          vendor_id: vendorId,
          amount,
          currency,
          method: 'bank_transfer',
          status: 'requested',
          bank_account_id: account.id,
          bank_last4: account.last4,
          requested_by: userId,
          requested_at: now,
          decided_by: null,
          decided_at: null,
          paid_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await emit(tx, PayoutRequested, {
        payoutId,
        vendorId,
        vendorName: vendor.name,
        requestedBy: userId,
        amount: money(currency, amount),
        requestedAt: now,
      })
      return payout
    })
  } catch (error) {
    if (violatedConstraint(error) === 'vendor_payouts_one_open') throw payoutOpen()
    throw error
  }
}

const payoutOpen = () => failedPrecondition('payout_open', 'a payout in this currency is under way')
