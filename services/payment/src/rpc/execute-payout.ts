import { failedPrecondition, invalid } from '@haat/kit/errors'
import type { ExecutePayoutRequest, ExecutePayoutResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { toPayoutRecord } from '../db/payouts.ts'
import { acceptPayout } from '../steps/accept-payout.ts'
import { submitPayout } from '../steps/submit-payout.ts'

export async function executePayout(
  ctx: PaymentContext,
  request: ExecutePayoutRequest,
): Promise<ExecutePayoutResponse> {
  const { payoutId, vendorId, destination } = request
  const amount = request.amount!
  if (amount.minor <= 0n) throw invalid('amount_invalid', 'a payout is greater than 0')
  const order = { payoutId, vendorId, amount, destination, country: ctx.accountCountry }
  const accepted = await acceptPayout(ctx, order, { failWhenShort: false })
  if ('short' in accepted)
    throw failedPrecondition('payout_exceeds_balance', 'the vendor is owed less', { available: String(accepted.short) })
  const payout = accepted.isNew ? await submitPayout(ctx, accepted.row) : accepted.row
  if (payout.status === 'failed' && payout.external_ref === null)
    throw failedPrecondition('provider_rejected', 'the payout could not be made', { reason: payout.failure_code })
  return { payout: toPayoutRecord(payout) }
}
