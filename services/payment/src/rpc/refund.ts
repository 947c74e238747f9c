import { createHash } from 'node:crypto'
import type { Call } from '@haat/kit/call'
import { conflict, failedPrecondition, invalid, notFound } from '@haat/kit/errors'
import { once } from '@haat/kit/idempotency'
import type { Transaction } from '@haat/kit/postgres'
import { RefundRequest, RefundResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { type RefundRow, toRefundRecord } from '../db/payments.ts'
import type { Database } from '../db/schema.ts'
import {
  type Allocation,
  allocationsFromJson,
  allocationsToJson,
  foreignParts,
  readAllocations,
} from '../domain/allocations.ts'
import { completeRefund } from '../steps/settle-refund.ts'
import { ATTEMPT_LEASE_SECONDS, submitRefund } from '../steps/submit-refund.ts'

export async function refund(ctx: PaymentContext, request: RefundRequest, call: Call): Promise<RefundResponse> {
  const amount = request.amount!
  const allocations = readAllocations(amount, request.allocations)
  // A service that repeats in a job does so without the person it began for: the key is the service's.
  const scope = `refund:${call.service ?? call.caller.id}`
  const options = {
    scope,
    key: request.idempotencyKey,
    request: RefundRequest.encode(request).finish(),
    response: RefundResponse,
  }
  return once(ctx.db, options, async () => {
    const { row, isNew } = await accept(ctx, request, allocations, call)
    const standing = isNew && row.status === 'requested' ? await submitRefund(ctx, row) : row
    if (standing.status === 'failed' && standing.external_ref === null)
      throw failedPrecondition('provider_rejected', 'the provider refused this refund', {
        reason: standing.failure_code,
      })
    return { refund: toRefundRecord(standing) }
  })
}

/** Records the refund before the provider hears of it, and sets its money aside; a known refund_id answers what stands. */
function accept(
  ctx: PaymentContext,
  request: RefundRequest,
  allocations: Allocation[],
  call: Call,
): Promise<{ row: RefundRow; isNew: boolean }> {
  const amount = request.amount!
  const body = RefundRequest.encode({ ...request, idempotencyKey: '', allocations: [] }).finish()
  const request_hash = createHash('sha256').update(body).update(allocationsToJson(allocations)).digest('hex')
  return ctx.db.transaction().execute(async (tx) => {
    const payment = await tx
      .selectFrom('payments')
      .selectAll()
      .where('order_id', '=', request.orderId)
      .forUpdate()
      .executeTakeFirst()
    const known = await tx.selectFrom('refunds').selectAll().where('id', '=', request.refundId).executeTakeFirst()
    if (known) {
      if (known.request_hash !== request_hash)
        throw conflict('idempotency_key_reused', 'this refund_id was used with another request')
      return { row: known, isNew: false }
    }
    if (!payment) throw notFound('payment_not_found', 'no such payment')
    if (!['succeeded', 'partially_refunded', 'refunded'].includes(payment.status))
      throw failedPrecondition('payment_not_paid', 'there is nothing to give back')
    if (amount.currency !== payment.currency)
      throw invalid('allocation_unbalanced', 'the payment has another currency', { currency: payment.currency })
    const foreign = foreignParts(allocationsFromJson(payment.allocations), allocations)
    if (foreign.length)
      throw invalid('allocation_unbalanced', 'the payment has no such vendor orders', {
        vendorOrderIds: foreign.join(','),
      })
    const refundable = payment.amount - (await sumSetAside(tx, payment.id))
    if (amount.minor > refundable)
      throw failedPrecondition('refund_exceeds_payment', 'more than is left of the payment', {
        refundable: String(refundable),
      })
    const row = await tx
      .insertInto('refunds')
      .values({
        id: request.refundId,
        payment_id: payment.id,
        order_id: payment.order_id,
        amount: amount.minor,
        currency: amount.currency,
        reason: request.reason,
        status: 'requested',
        external_ref: null,
        allocations: allocationsToJson(allocations),
        request_hash,
        requested_by: call.caller.id,
        attempts: 1,
        next_attempt_at: new Date(ctx.now().getTime() + ATTEMPT_LEASE_SECONDS * 1000),
        completed_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    // Nothing to pay back: only the books change.
    return { row: amount.minor === 0n ? await completeRefund(ctx, tx, payment, row) : row, isNew: true }
  })
}

/** All that was or will be given back of a payment. The caller holds its row. */
async function sumSetAside(tx: Transaction<Database>, paymentId: string): Promise<bigint> {
  const rows = await tx
    .selectFrom('refunds')
    .select('amount')
    .where('payment_id', '=', paymentId)
    .where('status', '!=', 'failed')
    .execute()
  return rows.reduce((sum, row) => sum + row.amount, 0n)
}
