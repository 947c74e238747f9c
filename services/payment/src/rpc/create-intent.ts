import { createHash } from 'node:crypto'
import { conflict, failedPrecondition } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { CreateIntentRequest, type CreateIntentResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import {
  findPaymentOfOrder,
  lockOrder,
  type PaymentRow,
  paymentProvider,
  toPaymentWithRefunds,
} from '../db/payments.ts'
import { type Allocation, allocationsToJson, readAllocations } from '../domain/allocations.ts'
import { openIntent } from '../steps/open-intent.ts'
import { postSale } from '../steps/settle-intent.ts'

export async function createIntent(ctx: PaymentContext, request: CreateIntentRequest): Promise<CreateIntentResponse> {
  const allocations = readAllocations(request.amount!, request.allocations)
  const payment = await record(ctx, request, allocations)
  if (payment.status === 'voided') throw voided()
  if (payment.status === 'failed' && payment.intent_id === null)
    throw failedPrecondition('provider_rejected', 'the provider refused this payment', { reason: payment.failure_code })
  const opened = await openIntent(ctx, payment)
  if (opened.payment.status === 'voided') throw voided()
  return { payment: await toPaymentWithRefunds(ctx.db, opened.payment), session: opened.session }
}

const voided = () => failedPrecondition('payment_voided', 'the payment of this order is closed')

/** The order's payment, recorded before the provider hears of it; a repeat finds the first one's. */
async function record(
  ctx: PaymentContext,
  request: CreateIntentRequest,
  allocations: Allocation[],
): Promise<PaymentRow> {
  const { orderId } = request
  const amount = request.amount!
  const stored = allocationsToJson(allocations)
  const body = CreateIntentRequest.encode({ ...request, allocations: [] }).finish()
  const request_hash = createHash('sha256').update(body).update(stored).digest('hex')
  return ctx.db.transaction().execute(async (tx) => {
    await lockOrder(tx, orderId)
    const isVoided = await tx
      .selectFrom('voided_orders')
      .select('order_id')
      .where('order_id', '=', orderId)
      .executeTakeFirst()
    if (isVoided) throw voided()
    const payment = await tx
      .insertInto('payments')
      .values({
        id: newId(),
        order_id: orderId,
        order_no: request.orderNo,
        user_id: request.userId,
        provider: paymentProvider.toName(request.provider),
        intent_id: null,
        status: 'creating',
        amount: amount.minor,
        currency: amount.currency,
        allocations: stored,
        request_hash,
        void_requested_at: null,
        movement_id: null,
        next_check_at: null,
        paid_at: null,
      })
      .onConflict((c) => c.column('order_id').doNothing())
      .returningAll()
      .executeTakeFirst()
    if (!payment) {
      const known = await findPaymentOfOrder(tx, orderId)
      if (known?.request_hash !== request_hash)
        throw conflict('payment_exists', 'this order has a payment with another body')
      return known
    }
    // Nothing to pay: a platform coupon may still owe the vendors.
    return amount.minor === 0n ? postSale(tx, payment, ctx.now()) : payment
  })
}
