import { type Call, requireUser } from '@haat/kit/call'
import { failedPrecondition, notFound } from '@haat/kit/errors'
import type { GetPaymentSessionRequest, GetPaymentSessionResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { amountOf, findPaymentOfOrder } from '../db/payments.ts'
import { isOpen } from '../domain/settlement.ts'
import { ProviderFailure } from '../provider/provider.ts'
import { openIntent } from '../steps/open-intent.ts'

export async function getPaymentSession(
  ctx: PaymentContext,
  request: GetPaymentSessionRequest,
  call: Call,
): Promise<GetPaymentSessionResponse> {
  const userId = requireUser(call)
  const payment = await findPaymentOfOrder(ctx.db, request.orderId)
  if (payment?.user_id !== userId) throw notFound('payment_not_found', 'no such payment')
  // The checkout still brings it to the provider; until then there is nothing to pay.
  if (payment.status === 'creating') throw new ProviderFailure('unavailable', 'creating')
  const { session } = isOpen(payment.status) ? await openIntent(ctx, payment) : { session: undefined }
  if (!session) throw failedPrecondition('payment_closed', 'this payment is paid or closed')
  return { session, amount: amountOf(payment) }
}
