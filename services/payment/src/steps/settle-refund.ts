import { emit } from '@haat/kit/events/emit'
import { sql, type Transaction } from '@haat/kit/postgres'
import { PaymentRefunded } from '@haat/proto/payment/v1/events'
import type { PaymentContext } from '../context.ts'
import { feeOf, post } from '../db/ledger.ts'
import { amountOf, eventFields, lockPayment, type PaymentRow, type RefundRow, updatePayment } from '../db/payments.ts'
import type { Database } from '../db/schema.ts'
import { allocationsFromJson, grossOf } from '../domain/allocations.ts'
import { nextAttempt } from '../domain/back-off.ts'
import { refundEntries, turned } from '../domain/postings.ts'
import { refundedState } from '../domain/settlement.ts'
import type { ProviderRefund } from '../provider/provider.ts'

type Tx = Transaction<Database>
type RefundChanges = Partial<
  Pick<RefundRow, 'status' | 'external_ref' | 'failure_code' | 'next_attempt_at' | 'completed_at'>
>

const FIRST_POLL_SECONDS = 60

/** Makes a refund follow what the provider says of it now; told twice it changes nothing. */
export function settleRefund(ctx: PaymentContext, refundId: string, told: ProviderRefund): Promise<RefundRow> {
  return ctx.db.transaction().execute(async (tx) => {
    const payment = await lockRefundsPayment(tx, refundId)
    const refund = await tx.selectFrom('refunds').selectAll().where('id', '=', refundId).executeTakeFirstOrThrow()
    if (told.amount.minor !== refund.amount || told.amount.currency !== refund.currency)
      throw new Error(`refund ${refundId} is of another amount at the provider`)
    const settled = await follow(ctx, tx, payment, refund, told)
    const { provider, order_id: orderId } = payment
    await post(tx, ...told.movements.map((movement) => feeOf(movement, { provider, reference: refundId, orderId })))
    return settled
  })
}

async function follow(
  ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  refund: RefundRow,
  told: ProviderRefund,
): Promise<RefundRow> {
  const external_ref = told.id
  const raw_json = JSON.stringify(told.snapshot)
  if (told.status === 'succeeded') {
    if (refund.status === 'succeeded') return refund
    return completeRefund(ctx, tx, payment, refund, { external_ref, raw_json })
  }
  if (told.status === 'pending') {
    if (refund.status === 'succeeded') return refund
    const next_attempt_at = nextAttempt(ctx.now(), refund.attempts, FIRST_POLL_SECONDS)
    return updateRefund(tx, refund, { status: 'submitted', external_ref, next_attempt_at, raw_json })
  }
  if (refund.status === 'failed') return refund
  if (refund.status === 'succeeded') await takeBack(tx, payment, refund)
  return updateRefund(tx, refund, {
    status: 'failed',
    external_ref,
    failure_code: told.failureCode,
    next_attempt_at: null,
    completed_at: ctx.now(),
    raw_json,
  })
}

/** The customer has the money back: posts the reversal and says so. The caller holds the payment's row. */
export async function completeRefund(
  ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  refund: RefundRow,
  more: { external_ref?: string; raw_json?: string } = {},
): Promise<RefundRow> {
  const refundedAt = ctx.now()
  const done = await updateRefund(tx, refund, {
    ...more,
    status: 'succeeded',
    failure_code: '',
    next_attempt_at: null,
    completed_at: refundedAt,
  })
  const paid = await recount(tx, payment)
  await post(tx, {
    kind: 'refund',
    key: `refund:${refund.id}`,
    reference: refund.id,
    orderId: payment.order_id,
    entries: refundEntries(payment.provider, payment.currency, allocationsFromJson(refund.allocations)),
  })
  await emit(tx, PaymentRefunded, {
    ...eventFields(paid),
    refundId: refund.id,
    amount: amountOf(refund),
    refundedTotal: { currency: paid.currency, minor: paid.refunded_amount },
    full: paid.status === 'refunded',
    reason: refund.reason,
    refundedAt,
  })
  return done
}

/** The customer's bank sent the money back: it belongs again to whom it belonged before, until a person refunds anew. */
async function takeBack(tx: Tx, payment: PaymentRow, refund: RefundRow): Promise<void> {
  await post(tx, {
    kind: 'adjustment',
    key: `refund_reversal:${refund.id}`,
    reference: refund.id,
    orderId: payment.order_id,
    entries: turned(refundEntries(payment.provider, payment.currency, allocationsFromJson(refund.allocations))),
  })
  await tx.updateTable('refunds').set({ status: 'failed' }).where('id', '=', refund.id).execute()
  await recount(tx, payment)
}

/** What a payment has given back is the sum of its succeeded refunds. */
async function recount(tx: Tx, payment: PaymentRow): Promise<PaymentRow> {
  const rows = await tx
    .selectFrom('refunds')
    .select(['amount', 'allocations'])
    .where('payment_id', '=', payment.id)
    .where('status', '=', 'succeeded')
    .execute()
  const refunded = rows.reduce((sum, row) => sum + row.amount, 0n)
  const grossBack = rows.reduce((sum, row) => sum + grossOf(allocationsFromJson(row.allocations)), 0n)
  const grossSold = grossOf(allocationsFromJson(payment.allocations))
  const status = refundedState({ amount: payment.amount, refunded, grossSold, grossBack })
  return updatePayment(tx, payment.id, { refunded_amount: refunded, status })
}

async function lockRefundsPayment(tx: Tx, refundId: string): Promise<PaymentRow> {
  const { payment_id } = await tx
    .selectFrom('refunds')
    .select('payment_id')
    .where('id', '=', refundId)
    .executeTakeFirstOrThrow()
  return lockPayment(tx, payment_id)
}

const updateRefund = (tx: Tx, refund: RefundRow, changes: RefundChanges & { raw_json?: string }): Promise<RefundRow> =>
  tx
    .updateTable('refunds')
    .set({ ...changes, updated_at: sql`now()` })
    .where('id', '=', refund.id)
    .returningAll()
    .executeTakeFirstOrThrow()
